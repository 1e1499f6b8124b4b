/** The commands to a queue: each command acts on the model and on the application, and compares the two. */
import type fc from 'fast-check';
import { expect } from 'vitest';
import type { Action, Answer, ByHolder, Consumer, Repair, Report } from './actions.ts';
import { created, inLine, step, type Item } from './model.ts';
import { claimItems, createItems, expectItem, send, type NewItem, type Real, type Answered } from './real.ts';

export interface Model {
  /** By the order of their creation. */
  readonly items: Item[];
  /** All claims that consumers remember, for ever. */
  readonly grants: Grant[];
  /** The seconds that an item waits before a retry. */
  readonly backOff: number;
}

interface Grant {
  readonly by: Consumer;
  readonly id: number;
  readonly version: number;
}

export type Command = fc.AsyncCommand<Model, Real>;

export const create = (news: readonly NewItem[]): Command =>
  command(`create ${news.length}`, async (model, real) => {
    const list = await createItems(real, news);
    expect(list).toHaveLength(news.length);
    for (const [index, { priority, isDeferred }] of news.entries()) {
      const { id, createdOn } = list[index] ?? {};
      model.items.push(created({ id: Number(id), arrivedOn: String(createdOn), priority }, isDeferred));
    }
  });

export const claim = ({ by, count }: { by: Consumer; count: number }): Command =>
  command(`${by} claims ${count}`, async (model, real) => {
    const next = inLine(model.items).slice(0, count);
    const steps = next.map((item) => step(item, { name: 'claim', by }, model.backOff).item);
    const granted = await claimItems(real, by, count);
    expect(granted).toEqual(steps.map(({ id, version }) => ({ id, version })));
    for (const item of steps) replace(model, item);
    model.grants.push(...steps.map(grantOf));
  });

/** A grant in use: by its holder or a thief, one that still holds or any that is remembered. */
export interface Use {
  readonly nth: number;
  readonly isLive: boolean;
  /** With the version before, as by a caller who has missed a change. */
  readonly isStale: boolean;
  readonly isThief: boolean;
}

export const heartbeat = (use: Use): Command => onGrant('heartbeat', use, { name: 'heartbeat' });

export const progress = (use: Use): Command => onGrant('note progress', use, { name: 'progress' });

export const pass = (use: Use): Command => onGrant('pass the point of no return', use, { name: 'pass' });

export const report = ({ says, way, ...use }: Use & Pick<Report, 'says' | 'way'>): Command =>
  onGrant(`report ${says} by ${way}`, use, { name: 'report', says, way: wayFor(says, way) });

/** The last report that counted comes once more, by either way. */
export const repeat = ({ nth, way }: Pick<Report, 'way'> & { nth: number }): Command =>
  onItem(`repeat by ${way} the report on reported item ${nth}`, {
    find: (items) =>
      pick(
        items.filter(({ counted }) => counted !== undefined),
        nth,
      ),
    action: ({ counted }) => {
      const last = counted as Report;
      return { ...last, way: wayFor(last.says, way) };
    },
  });

/** An update knows no giving back. */
function wayFor(says: Report['says'], way: Report['way']): Report['way'] {
  return says === 'NEW' ? 'finishWorkItems' : way;
}

interface RepairOf {
  readonly nth: number;
  readonly to: Repair;
  readonly priority: number;
  readonly isStale: boolean;
}

export const repair = ({ nth, to, priority, isStale }: RepairOf): Command =>
  onItem(`repair ${isStale ? 'an old version of ' : ''}item ${nth}: ${to}, priority ${priority}`, {
    find: (items) => pick(items, nth),
    action: ({ version }) => ({ name: 'repair', version: version - (isStale ? 1 : 0), to, priority }),
  });

interface SeenItem {
  readonly nth: number;
  readonly isStale: boolean;
}

export const goOn = ({ nth, isStale, name }: SeenItem & { name: 'release' | 'restart' }): Command =>
  onItem(`${name} ${isStale ? 'an old version of ' : ''}item ${nth}`, {
    find: (items) => pick(items, nth),
    action: ({ version }) => ({ name, version: version - (isStale ? 1 : 0) }),
  });

/** Answers the question of an item in doubt, or tries that on any other item. */
export const resolve = ({ nth, isStale, answer }: SeenItem & { answer: Answer }): Command =>
  onItem(`answer ${answer} for ${isStale ? 'an old version of ' : ''}item ${nth}`, {
    find: (items) => {
      const inDoubt = items.filter(({ failureKind }) => failureKind === 'IN_DOUBT');
      return pick(inDoubt.length > 0 ? inDoubt : items, nth);
    },
    action: ({ version }) => ({ name: 'resolve', answer, version: version - (isStale ? 1 : 0) }),
  });

/** Mostly on running items: on others it is refused. */
export const cancel = ({ nth, isLive }: Pick<Use, 'nth' | 'isLive'>): Command =>
  onItem(`cancel ${isLive ? 'running ' : ''}item ${nth}`, {
    find: (items) => pick(isLive ? items.filter(isRunning) : items, nth),
    action: () => ({ name: 'cancel' }),
  });

export const remove = (nth: number): Command =>
  onItem(`delete item ${nth}`, { find: (items) => pick(items, nth), action: () => ({ name: 'delete' }) });

export const expire = (nth: number): Command =>
  onItem(`the lease of running item ${nth} expires`, {
    find: (items) => pick(items.filter(isRunning), nth),
    action: () => ({ name: 'expire' }),
  });

export const due = (nth: number): Command =>
  onItem(`the time of waiting item ${nth} comes`, {
    find: (items) =>
      pick(
        items.filter(({ status, isDelayed }) => status === 'DEFERRED' || isDelayed),
        nth,
      ),
    action: () => ({ name: 'due' }),
  });

const isRunning = ({ status }: Item) => status === 'IN_PROGRESS';

function pick<T>(list: readonly T[], nth: number): T | undefined {
  return list[nth % list.length];
}

function command(text: string, run: Command['run'], check: Command['check'] = () => true): Command {
  return { check, run, toString: () => text };
}

type Unsigned<A> = A extends unknown ? Omit<A, 'by' | 'version'> : never;

function onGrant(text: string, { nth, isLive, isStale, isThief }: Use, what: Unsigned<ByHolder>): Command {
  const find = ({ items, grants }: Readonly<Model>): Grant | undefined =>
    pick(isLive ? items.filter(isRunning).map(grantOf) : grants, nth);
  const run: Command['run'] = async (model, real) => {
    const { id, by, version } = find(model) as Grant;
    const sent = { by: isThief ? otherThan(by) : by, version: version - (isStale ? 1 : 0) };
    await act(model, real, id, { ...what, ...sent });
  };
  const whose = `${isStale ? 'an old version of ' : ''}${isThief ? 'stolen ' : ''}${isLive ? 'live' : 'remembered'} grant ${nth}`;
  return command(`${text} with ${whose}`, run, (model) => find(model) !== undefined);
}

function grantOf({ id, version, holder }: Item): Grant {
  return { id, version, by: holder as Consumer };
}

function otherThan(by: Consumer): Consumer {
  return by === 'first consumer' ? 'second consumer' : 'first consumer';
}

interface OnItem {
  readonly find: (items: readonly Item[]) => Item | undefined;
  readonly action: (item: Item) => Action;
}

function onItem(text: string, { find, action }: OnItem): Command {
  const run: Command['run'] = async (model, real) => {
    const item = find(model.items) as Item;
    await act(model, real, item.id, action(item));
  };
  return command(text, run, ({ items }) => find(items) !== undefined);
}

/** Takes a step in the model and in the application: both must answer the same, and have the same item afterwards. */
async function act(model: Model, real: Real, id: number, action: Action): Promise<void> {
  const before = model.items.find((item) => item.id === id) as Item;
  const { code, item, arrivesIn } = step(before, action, model.backOff);
  expect(await send(real, id, action)).toEqual(answerTo(action, code, item));
  const updatedOn = await expectItem(real, item);
  replace(model, arrivesIn === undefined ? item : { ...item, arrivedOn: later(updatedOn, arrivesIn) });
}

function later(time: string, seconds: number): string {
  return new Date(Date.parse(time) + 1000 * seconds).toISOString();
}

const tellingItem: readonly Action['name'][] = [
  'report',
  'repair',
  'progress',
  'cancel',
  'release',
  'restart',
  'resolve',
];

function answerTo({ name }: Action, code: string, { status, version }: Item): Answered {
  return code === 'OK' && tellingItem.includes(name) ? { code, status, version } : { code };
}

function replace(model: Model, item: Item): void {
  model.items[model.items.findIndex(({ id }) => id === item.id)] = item;
}
