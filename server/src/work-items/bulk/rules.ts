import { mayHappen, stringifyJson, type Id, type Schemas } from '@millrace/api';
import { holdsKey, needsKey } from '../../duplicates/rules.ts';
import { Refusal, shownProblems, type ErrorDetail } from '../../engine/errors.ts';
import type { Attribute, QueueDefinition } from '../../engine/operation.ts';
import { rankOf, recordProblems, valueOf, type JsonRecord } from '../../records/record.ts';
import { isMask, isSealed } from '../../records/sensitive.rules.ts';
import {
  arrivalIn,
  decideData,
  decideIntake,
  expiryOf,
  goesOn,
  moved,
  sortKey,
  type Item,
  type Move,
} from '../item/rules.ts';
import { decideCancel, decideRepair, decideResolve, notNow, stale } from '../repair/rules.ts';

type Body = Schemas['BulkRequest'];
type Answer = NonNullable<Body['answer']>;

/** An action on each of many items, with its arguments. RENEW restarts failed items and releases waiting ones. */
export type BulkAction = { readonly reason?: string } & (
  | { readonly name: 'RELEASE' | 'RESTART' | 'RENEW' | 'COMPLETE' | 'FAIL' | 'CANCEL' | 'DELETE' }
  | { readonly name: 'DEFER'; readonly deferredUntil?: string }
  | { readonly name: 'EDIT'; readonly json: JsonRecord }
  | { readonly name: 'SET_PRIORITY'; readonly priority: number }
  | { readonly name: 'MOVE'; readonly queueId: Id }
  | { readonly name: 'RESOLVE'; readonly answer: Answer; readonly note?: string }
  | { readonly name: 'CORRECT'; readonly rows: Corrections; readonly isRestart: boolean }
);

/** The corrections by item id. */
type Corrections = ReadonlyMap<Id, Pick<Schemas['Correction'], 'version' | 'json'>>;

type Argument = 'deferredUntil' | 'json' | 'priority' | 'queueId' | 'answer' | 'note';

const argumentNames = ['deferredUntil', 'json', 'priority', 'queueId', 'answer', 'note'] as const;
const actionByStatus = { NEW: 'RENEW', DEFERRED: 'DEFER', COMPLETE: 'COMPLETE', FAILED: 'FAIL' } as const;
const needed: Readonly<Record<string, readonly Argument[]>> = {
  EDIT: ['json'],
  SET_PRIORITY: ['priority'],
  MOVE: ['queueId'],
  RESOLVE: ['answer'],
};
const accepted: Readonly<Record<string, readonly Argument[]>> = {
  ...needed,
  DEFER: ['deferredUntil'],
  RESOLVE: ['answer', 'note'],
};

/** The action wanted by a request. @throws Refusal that names each member that is missing or does not go with it. */
export function readAction(body: Body): BulkAction {
  const name = body.action ?? (body.status && actionByStatus[body.status]);
  const problems = [...choiceProblems(body), ...(name ? argumentProblems(name, body) : [])];
  if (problems.length > 0) {
    const sentences = problems.map(({ field, message }) => `${field} ${message}`).join('; ');
    throw new Refusal('INVALID_REQUEST', `This cannot be done: ${sentences}.`, { details: problems });
  }
  const { reason, deferredUntil, json, priority, queueId, answer, note } = body;
  return { name, reason, deferredUntil, json, priority, queueId, answer, note } as BulkAction;
}

function choiceProblems({ action, status, ids, filter }: Body): ErrorDetail[] {
  return [
    ...(action === undefined && status === undefined
      ? [{ field: 'action', message: 'is missing: say what to do, or give a status' }]
      : []),
    ...(action !== undefined && status !== undefined
      ? [{ field: 'status', message: 'goes without action: one of them says what to do' }]
      : []),
    ...(ids === undefined && filter === undefined
      ? [{ field: 'ids', message: 'is missing: say to which items, by ids or by a filter' }]
      : []),
    ...(ids !== undefined && filter !== undefined
      ? [{ field: 'filter', message: 'goes without ids: one of them says to which items' }]
      : []),
  ];
}

function argumentProblems(name: string, body: Body): ErrorDetail[] {
  const missing = (needed[name] ?? []).filter((argument) => body[argument] === undefined);
  const unaccepted = argumentNames.filter(
    (argument) => body[argument] !== undefined && !accepted[name]?.includes(argument),
  );
  const isUnexplained = name === 'RESOLVE' && body.answer === 'PARTLY' && !body.note?.trim();
  return [
    ...missing.map((field) => ({ field, message: `is missing: ${name} needs it` })),
    ...unaccepted.map((field) => ({ field, message: `does not go with ${name}` })),
    ...(isUnexplained ? [{ field: 'note', message: 'is missing: say what is left to do' }] : []),
  ];
}

/** The reason why an edit makes no sense for any item of a queue whose model has these attributes. */
export function editProblem(action: BulkAction, attributes: readonly Attribute[]): Refusal | undefined {
  if (action.name !== 'EDIT') return undefined;
  // Required attributes are checked item by item.
  const details = recordProblems(asOptional(attributes), action.json);
  const [first] = details;
  if (!first) return undefined;
  return new Refusal('INVALID_REQUEST', `json: ${first.field} ${first.message}. Nothing was changed.`, {
    details,
  });
}

const asOptional = (attributes: readonly Attribute[]) =>
  attributes.map((attribute) => ({ ...attribute, isRequired: false }));

/** The reason why no item of a queue can be moved to the other. */
export function transferProblem(from: QueueDefinition, to: QueueDefinition): Refusal | undefined {
  const problem =
    from.id === to.id
      ? 'is the queue where the items are'
      : from.modelId === to.modelId
        ? undefined
        : `names a queue of another model: items of model ${from.modelId} do not fit into queue ${to.id}, of model ${to.modelId}`;
  if (problem === undefined) return undefined;
  const details = [{ field: 'queueId', message: problem }];
  return new Refusal('INVALID_REQUEST', `queueId ${problem}.`, { details });
}

/** An item with its data. */
export interface Found {
  readonly item: Item;
  readonly json: JsonRecord;
}

/** An item and its data before and after an action. */
export interface Decided {
  readonly found: Found;
  readonly move: Move;
  readonly json: JsonRecord;
}

export interface BulkCircumstances {
  readonly actorId: Id;
  readonly queue: QueueDefinition;
  /** The queue of the items afterwards: the same one, unless they are moved. */
  readonly target: QueueDefinition;
  readonly now: Date;
  /** The stored form of a record for an item, given its present one. */
  readonly seal: (itemId: Id, record: JsonRecord, before: JsonRecord) => JsonRecord;
}

type Verdict<Granted> = Granted | 'unchanged' | Refusal;
type ActionOf<Name> = Extract<BulkAction, { readonly name: Name }>;
type StatusAction = Exclude<BulkAction, { readonly name: 'EDIT' | 'SET_PRIORITY' | 'MOVE' | 'CORRECT' }>;

/** The effect of an action on an item in any state. */
export function decideAction(
  found: Found,
  action: BulkAction,
  circumstances: BulkCircumstances,
): Verdict<Decided> {
  const { item, json } = found;
  const mayResolve = action.name === 'RESOLVE' || action.name === 'DELETE';
  if (item.failureKind === 'IN_DOUBT' && !mayResolve) return notNow(item, 'edit');
  if (action.name === 'EDIT') return decideEdit(found, action, circumstances);
  if (action.name === 'CORRECT') return decideCorrection(found, action, circumstances);
  if (action.name === 'SET_PRIORITY') return decidePriority(found, action, circumstances);
  if (action.name === 'MOVE') return decideTransfer(found, action, circumstances);
  const move = decideStatus(item, action, circumstances);
  if (move === 'unchanged' || move instanceof Refusal) return move;
  return decideData(item, move.item.status, circumstances.queue.attributes, json) ?? { found, move, json };
}

function decideStatus(item: Item, action: StatusAction, circumstances: BulkCircumstances): Verdict<Move> {
  const { reason } = action;
  switch (action.name) {
    case 'COMPLETE':
      return decideRepair(item, 'complete', { reason }, circumstances);
    case 'FAIL':
      return decideRepair(item, 'giveUp', { reason, error: reason }, circumstances);
    case 'DEFER':
      return decideRepair(item, 'defer', { reason, deferredUntil: action.deferredUntil }, circumstances);
    case 'RESTART':
      return decideRepair(item, 'restart', { reason }, circumstances);
    case 'RELEASE':
      return decideRelease(item, reason, circumstances);
    case 'RENEW':
      return item.status === 'FAILED'
        ? decideRepair(item, 'restart', { reason }, circumstances)
        : decideRelease(item, reason, circumstances);
    case 'CANCEL': {
      const verdict = decideCancel(item, { actorId: circumstances.actorId, reason }, circumstances.now);
      return verdict === 'repeated' ? 'unchanged' : verdict;
    }
    case 'RESOLVE': {
      const { answer, note } = action;
      const request = { version: item.version, answer, ...(note !== undefined && { note }) };
      return decideResolve(item, request, circumstances);
    }
    case 'DELETE':
      return mayHappen('delete', item) ? { transition: 'delete', item } : notNow(item, 'delete');
  }
}

function decideRelease(
  item: Item,
  reason: string | undefined,
  circumstances: BulkCircumstances,
): Verdict<Move> {
  const isClaimable = item.status === 'NEW' && item.notBefore === undefined;
  return isClaimable ? 'unchanged' : decideRepair(item, 'release', { reason }, circumstances);
}

function decidePriority(
  found: Found,
  { priority, reason }: ActionOf<'SET_PRIORITY'>,
  circumstances: BulkCircumstances,
): Verdict<Decided> {
  const { item, json } = found;
  const move = decideRepair(item, 'edit', { reason }, circumstances);
  if (move instanceof Refusal) return move;
  if (priority === item.priority) return 'unchanged';
  return { found, move: reordered(move, circumstances.queue, { priority, json }), json };
}

function decideEdit(
  found: Found,
  { json: change, reason }: ActionOf<'EDIT'>,
  circumstances: BulkCircumstances,
): Verdict<Decided> {
  const { item } = found;
  const { queue } = circumstances;
  const move = decideRepair(item, 'edit', { reason }, circumstances);
  if (move instanceof Refusal) return move;
  const json = merged(found.json, change);
  if (stringifyJson(json) === stringifyJson(found.json)) return 'unchanged';
  const [problem] = recordProblems(queue.attributes, json, isSealed);
  if (problem) return new Refusal('INVALID_REQUEST', `Item ${item.id}: ${problem.field} ${problem.message}.`);
  return { found, move: reordered(move, queue, { priority: item.priority, json }), json };
}

/** The correction of an item that the caller has seen, with a restart if that is wanted. */
function decideCorrection(
  found: Found,
  { rows, isRestart, reason }: ActionOf<'CORRECT'>,
  circumstances: BulkCircumstances,
): Verdict<Decided> {
  const { item } = found;
  const { queue, seal } = circumstances;
  const { version, json: sent = {} } = rows.get(item.id) ?? {};
  if (version !== item.version) return stale(item);
  const move = decideRepair(item, isRestart ? 'restart' : 'edit', { reason }, circumstances);
  if (move instanceof Refusal) return move;
  const { json, wrong } = correctedRecord(queue, found, sent, seal);
  const isSame = wrong.length === 0 && stringifyJson(json) === stringifyJson(found.json);
  if (!isRestart && isSame) return 'unchanged';
  const named = new Set(wrong.map(({ field }) => field));
  const unfit = recordProblems(queue.attributes, json, isSealed).filter(({ field }) => !named.has(field));
  const [problem, ...more] = [...wrong, ...unfit].slice(0, shownProblems);
  if (problem) {
    const message = `Item ${item.id}: ${problem.field} ${problem.message}.`;
    return new Refusal('INVALID_REQUEST', message, { details: [problem, ...more] });
  }
  return { found, move: reordered(move, queue, { priority: item.priority, json }), json };
}

/**
 * The record of an item with a correction, in its stored form, and the problems of the correction as it was sent: after sealing nobody can
 * tell whether a value fits, or who sealed it.
 */
function correctedRecord(
  queue: QueueDefinition,
  { item: { id }, json }: Found,
  sent: JsonRecord,
  seal: BulkCircumstances['seal'],
): { json: JsonRecord; wrong: readonly ErrorDetail[] } {
  const wrong = recordProblems(asOptional(queue.attributes), sent, isMask);
  const named = new Set(wrong.map(({ field }) => field));
  const fitting = Object.fromEntries(Object.entries(sent).filter(([name]) => !named.has(name)));
  return { json: merged(json, seal(id, fitting, json)), wrong };
}

/** The record with the changed attributes; those that are null in the change are removed. */
function merged(old: JsonRecord, change: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries({ ...old, ...change }).filter(([, value]) => value !== null));
}

function decideTransfer(
  found: Found,
  { reason }: ActionOf<'MOVE'>,
  { target, now }: BulkCircumstances,
): Verdict<Decided> {
  const { item, json } = found;
  if (!mayHappen('move', item)) return notNow(item, 'move');
  const refusal = item.status === 'FAILED' ? undefined : decideIntake(target, now);
  if (refusal) return refusal;
  const expiresOn = expiryOf(target, now);
  const move = { transition: 'move', item: { ...moved(item, 'move', now), expiresOn }, reason } as const;
  return { found, move: reordered(move, target, { priority: item.priority, json }), json };
}

/** The item at its place in the order of a queue, by its own time of arrival. */
function reordered(
  move: Move,
  queue: QueueDefinition,
  { priority, json }: { readonly priority: number; readonly json: JsonRecord },
): Move {
  const key = sortKey(priority, rankOf(queue, json), arrivalIn(move.item.sortKey));
  return { ...move, item: { ...move.item, priority, sortKey: key } };
}

/** Whether the item needs a unique key of its own after the action. */
export function wantsKey(
  { name }: BulkAction,
  { found, move }: Decided,
  { queue, target }: Pick<BulkCircumstances, 'queue' | 'target'>,
): boolean {
  if (name === 'DELETE') return false;
  if (name === 'MOVE' || name === 'EDIT' || name === 'CORRECT') return holdsKey(target, move.item.status);
  // An item whose data do not fit has no key.
  if (goesOn(found.item, move.item.status)) return holdsKey(queue, move.item.status);
  return needsKey(queue, found.item.status, move.item.status);
}

/** An action on an item, for the timeline; for an edit, the named attributes in their stored form. */
export function eventChanges(action: BulkAction, itemId: Id, stored: JsonRecord): object {
  if (action.name === 'CORRECT') {
    const json = action.rows.get(itemId)?.json;
    return { ...(action.isRestart && { action: 'RESTART' }), json: json && asStored(json, stored) };
  }
  const { reason: _, name, ...given } = action;
  return { action: name, ...given, ...(action.name === 'EDIT' && { json: asStored(action.json, stored) }) };
}

function asStored(change: JsonRecord, stored: JsonRecord): JsonRecord {
  const json = Object.entries(change).map(([attribute, value]) => [
    attribute,
    valueOf(stored, attribute) ?? value,
  ]);
  return Object.fromEntries(json);
}
