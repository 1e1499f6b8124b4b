import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, ConnectionError, createClient, type Client } from '@millrace/api';
import type { Grant, Note, Stage } from '../history/record.ts';
import { password } from './place.ts';

/** The users in the queue under load. */
export interface Crew {
  readonly stage: Stage;
  readonly queueId: number;
  readonly owner: Client;
  readonly holders: readonly { readonly by: number; readonly client: Client }[];
}

type Kind = 'create' | 'finish';

/** The figures of a load so far. */
export interface Load {
  readonly logs: Note[][];
  /** The times at which items were acknowledged as created and as finished, in milliseconds of `performance`. */
  readonly acknowledged: { readonly [K in Kind]: number[] };
  /** Answers other than success, by status; refused reports, by code. */
  readonly errors: Map<string, number>;
  /** The longest wait for an answer to a create or a report. */
  slowestMs: number;
}

/** A call without an answer for this long is given up, and counts as hanging. */
const patienceSeconds = 60;
export const hang = `no answer in ${patienceSeconds} s`;

const creators = 5;
const holderLoops = 3;
const everyMs = 100;
const leaseSeconds = 10;
const limits = { timeoutSeconds: patienceSeconds };

/** Creates a queue of one attribute, and two users who work on it. */
export async function createCrew(url: string): Promise<Crew> {
  const as = (username: string) => createClient({ url, username, password });
  const owner = as('admin');
  const attributes = [{ name: 'customer', type: 'TEXT' as const }];
  const model = await owner.createWorkItemModel({ body: { name: 'Customers', attributes } });
  const settings = { autoRetryLimit: 0, lapseLimit: 0 };
  const body = { name: 'Under load', workItemModelId: Number(model.id), ...settings };
  const queueId = Number((await owner.createQueue({ body })).id);
  const { list: roles } = await owner.listRoles();
  const role = { id: Number(roles.find(({ name }) => name === 'AAE_Bot Runner')?.id) };
  await owner.addQueueConsumer({ path: { id: queueId }, body: { roleId: role.id } });
  const hire = async (username: string) => {
    const user = await owner.createUser({ body: { username, password, roles: [role] } });
    return { by: Number(user.id), client: as(username) };
  };
  const holders = [await hire('Cid'), await hire('Cora')];
  const queues = [{ id: queueId, retryLimit: 0, lapseLimit: 0 }];
  const stage = { queues, devices: [], automations: [], strangerIds: [] };
  return { stage, queueId, owner, holders };
}

/** A load that runs. */
export interface Running {
  readonly load: Load;
  /** Ends the creation of items, and resolves when all are done, or nobody gets on for a while. */
  readonly drain: () => Promise<void>;
}

/** Items are created at a steady rate that is far below what the server can do, and claimed and finished at once. */
export function startLoad(crew: Crew): Running {
  const load: Load = {
    logs: [],
    acknowledged: { create: [], finish: [] },
    errors: new Map(),
    slowestMs: 0,
  };
  const [creating, working] = [new AbortController(), new AbortController()];
  const all = Array.from({ length: creators }, (_, index) => create(crew, load, index, creating.signal));
  const others = crew.holders.flatMap((holder) =>
    Array.from({ length: holderLoops }, () => work({ crew, load, ...holder }, working.signal)),
  );
  const drain = async () => {
    creating.abort();
    await Promise.all(all);
    await untilDone(crew, load);
    working.abort();
    await Promise.all(others);
  };
  return { load, drain };
}

/** Creates an item each 100 ms. One without an answer is not sent again: it may be there, or not. */
async function create(
  { owner, queueId }: Crew,
  load: Load,
  index: number,
  signal: AbortSignal,
): Promise<void> {
  const log = openLog(load);
  let due = performance.now() + (index * everyMs) / creators;
  for (let made = 1; !signal.aborted; made += 1) {
    // Late calls are not made up for: the load after the fault must be the same as before it.
    due = Math.max(due + everyMs, performance.now());
    await sleep(due - performance.now());
    const key = `customer ${made} of ${index}`;
    log.push({ note: 'creating', keys: [key] });
    const body = { workItems: [{ json: { customer: key } }] };
    const answer = await ask(load, () => owner.createWorkItems({ path: { id: queueId }, body }, limits));
    for (const { id } of answer?.list ?? []) {
      log.push({ note: 'created', id: Number(id), key });
      load.acknowledged.create.push(performance.now());
    }
  }
}

function openLog({ logs }: Load): Note[] {
  const log: Note[] = [];
  logs.push(log);
  return log;
}

interface Holder {
  readonly crew: Crew;
  readonly load: Load;
  readonly by: number;
  readonly client: Client;
}

/** Claims the waiting items, and reports them at once. */
async function work(holder: Holder, signal: AbortSignal): Promise<void> {
  const { load, client, by } = holder;
  const log = openLog(load);
  const path = { id: holder.crew.queueId };
  const body = { count: 4, leaseSeconds, waitSeconds: 1 };
  while (!signal.aborted) {
    const claimed = await ask(load, () => client.claimWorkItems({ path, body }, limits), { isWaiting: true });
    const grants = (claimed?.list ?? []).map(({ id, version }) => {
      return { by, id: Number(id), version: Number(version) };
    });
    log.push(...grants.map((grant) => ({ note: 'granted' as const, ...grant })));
    if (grants.length > 0) await report(holder, grants, log);
  }
}

/** Sends a report until it is answered. */
async function report({ crew, load, client }: Holder, grants: readonly Grant[], log: Note[]): Promise<void> {
  const says = 'COMPLETE' as const;
  const results = grants.map(({ id, version }) => ({ id, version, status: says }));
  const call = { path: { id: crew.queueId }, body: { results } };
  for (;;) {
    log.push(...grants.map((grant) => ({ note: 'reporting' as const, ...grant, says })));
    const answer = await ask(load, () => client.finishWorkItems(call, limits));
    if (!answer) continue;
    for (const [index, { error, version }] of answer.list.entries()) {
      const grant = grants[index] as Grant;
      if (error) {
        count(load, error.code);
        log.push({ note: 'refused', ...grant, says, code: error.code });
      } else {
        load.acknowledged.finish.push(performance.now());
        log.push({ note: 'accepted', ...grant, says, versionAfter: Number(version) });
      }
    }
    return;
  }
}

/** The answer; none when the call has failed, after a moment. */
async function ask<T>(
  load: Load,
  call: () => Promise<T>,
  { isWaiting = false } = {},
): Promise<T | undefined> {
  const begun = performance.now();
  const answer = await call().catch((error: unknown) => error as Error);
  const waitedMs = performance.now() - begun;
  if (!isWaiting) load.slowestMs = Math.max(load.slowestMs, waitedMs);
  if (!(answer instanceof Error)) return answer;
  if (!(answer instanceof ApiError || answer instanceof ConnectionError)) throw answer;
  const why = waitedMs < patienceSeconds * 1000 ? 'no answer' : hang;
  count(load, answer instanceof ApiError ? String(answer.status) : why);
  await sleep(100);
  return undefined;
}

function count({ errors }: Load, name: string): void {
  errors.set(name, (errors.get(name) ?? 0) + 1);
}

/** Waits until all items are done, for two minutes at the most: then items are left over, and that is reported. */
async function untilDone({ owner, queueId }: Crew, load: Load): Promise<void> {
  const end = Date.now() + 120_000;
  while (Date.now() < end) {
    const stats = await ask(load, () => owner.getQueueStats({ path: { id: queueId } }, limits), {
      isWaiting: true,
    });
    if (stats && stats.counts.NEW + stats.counts.IN_PROGRESS === 0) return;
    await sleep(200);
  }
}
