/** The steps of the model as calls of the real application. */
import type { Schemas } from '@millrace/api';
import { expect } from 'vitest';
import type { App, Caller } from '../../server/src/testing/app.ts';
import { eventually, type QueueFixture } from '../../server/src/testing/fixtures.ts';
import type { Action, Actor, ByHolder, ByPerson, Consumer, Report, Says } from './actions.ts';
import type { Happening, Item } from './model.ts';

export interface NewItem {
  readonly priority: number;
  readonly isDeferred: boolean;
}

export interface Real {
  readonly app: App;
  readonly queue: QueueFixture;
  readonly consumers: Record<Consumer, Caller>;
  readonly actors: ReadonlyMap<number, Actor>;
}

/** The answer of a call about an item. */
export interface Answered {
  readonly code: string;
  readonly status?: string | undefined;
  readonly version?: number | undefined;
}

type Send<A> = (real: Real, id: number, action: A) => Promise<Answered>;

/** Applies an action to the item in the application, and answers its response. */
export async function send(real: Real, id: number, action: Action): Promise<Answered> {
  switch (action.name) {
    case 'claim':
      throw new Error('nobody can claim an item of his choice');
    case 'heartbeat':
    case 'pass':
    case 'progress':
    case 'report':
      return byHolder(real, id, action);
    case 'expire':
      return letPass(real, id, 'lease_expires_on');
    case 'due':
      return letPass(real, id, 'not_before');
    case 'repair':
    case 'release':
    case 'restart':
    case 'resolve':
    case 'cancel':
    case 'delete':
      return byPerson(real, id, action);
  }
}

const pathTo = ({ queue }: Real, workItemId: number) => ({ id: queue.id, workItemId });

const byHolder: Send<ByHolder> = async (real, id, action) => {
  const { by, version } = action;
  const consumer = real.consumers[by];
  switch (action.name) {
    case 'heartbeat':
      return heartbeat(real, consumer, { id, version });
    case 'pass':
      return heartbeat(real, consumer, { id, version, pointOfNoReturn: true });
    case 'progress':
      return update(real, consumer, id, { version, progress: { percent: 50 } });
    case 'report':
      if (action.way === 'finishWorkItems') return finish(real, id, action);
      return update(real, consumer, id, reportOf(action) as Change);
  }
};

async function heartbeat({ queue }: Real, consumer: Caller, lease: Schemas['Lease']): Promise<Answered> {
  const leases = [{ ...lease, leaseSeconds: 600 }];
  const { body } = await consumer.heartbeatWorkItems({ path: queue.path, body: { leases } });
  return { code: body.list[0]?.error?.code ?? 'OK' };
}

const reportOf = ({ version, says }: { version: number; says: Says }) =>
  says === 'BUSINESS' || says === 'SYSTEM'
    ? { version, status: 'FAILED' as const, failureKind: says, error: 'as told' }
    : { version, status: says };

const finish: Send<Report> = async ({ queue, consumers }, id, report) => {
  const results = [{ id, ...reportOf(report) }];
  const { body } = await consumers[report.by].finishWorkItems({ path: queue.path, body: { results } });
  const { error, status, version } = body.list[0] ?? {};
  return { code: error?.code ?? 'OK', status, version };
};

const byPerson: Send<ByPerson> = async (real, id, action) => {
  const { call } = real.queue.owner;
  const path = pathTo(real, id);
  switch (action.name) {
    case 'repair': {
      const { version, priority, to } = action;
      const status = to === 'EDIT' ? {} : { status: to };
      return update(real, call, id, { version, priority, comment: 'as told', ...status });
    }
    case 'release':
      return answerWithItem(await call.releaseWorkItem({ path, body: { version: action.version } }));
    case 'restart':
      return answerWithItem(await call.restartWorkItem({ path, body: { version: action.version } }));
    case 'resolve': {
      const { version, answer } = action;
      return answerWithItem(await call.resolveWorkItem({ path, body: { version, answer, note: 'as told' } }));
    }
    case 'cancel':
      return answerWithItem(await call.cancelWorkItem({ path }));
    case 'delete':
      return answerOf(await call.deleteWorkItem({ path }));
  }
};

type Change = Omit<Schemas['UpdateWorkItemRequest'], 'id' | 'queueId'>;

async function update(real: Real, caller: Caller, id: number, change: Change): Promise<Answered> {
  const body = { id, queueId: real.queue.id, ...change };
  return answerWithItem(await caller.updateWorkItem({ path: pathTo(real, id), body }));
}

function answerWithItem(answer: {
  status: number;
  body: Schemas['WorkItem'];
  error: { code: string };
}): Answered {
  const answered = answerOf(answer);
  return answered.code === 'OK'
    ? { ...answered, status: answer.body.status, version: answer.body.version }
    : answered;
}

function answerOf({ status, error }: { status: number; error: { code: string } }): Answered {
  return { code: status < 300 ? 'OK' : error.code };
}

/** Moves a time of the item into the past, and waits until the job of the server has seen it. */
async function letPass(real: Real, id: number, column: 'lease_expires_on' | 'not_before'): Promise<Answered> {
  const past = `update work_items set ${column} = now() - interval '1 second' where queue_id = $1 and id = $2`;
  await real.app.sql(past, [real.queue.id, id]);
  await eventually(
    () => readItem(real, id),
    ({ status, notBefore }) => status !== 'IN_PROGRESS' && status !== 'DEFERRED' && notBefore === undefined,
  );
  return { code: 'OK' };
}

async function readItem(real: Real, id: number) {
  return (await real.queue.owner.call.getWorkItem({ path: pathTo(real, id) })).body;
}

// Far enough away that nothing becomes due by itself during a run.
const deferredUntil = '2099-12-31T00:00:00.000Z';

/** Creates items in one call; answers them. */
export async function createItems({ queue }: Real, items: readonly NewItem[]) {
  const workItems = items.map(({ priority, isDeferred }) => {
    return { json: { customer: 'any' }, priority, ...(isDeferred && { deferredUntil }) };
  });
  return (await queue.owner.call.createWorkItems({ path: queue.path, body: { workItems } })).body.list;
}

/** Claims a number of items; answers their ids and versions in the order they came. */
export async function claimItems({ queue, consumers }: Real, by: Consumer, count: number) {
  const body = { count, leaseSeconds: 600 };
  const answer = await consumers[by].claimWorkItems({ path: queue.path, body });
  return answer.body.list.map(({ id, version }) => ({ id: Number(id), version }));
}

/** Compares the item of the application with that of the model; returns the time of its last change in the application. */
export async function expectItem(real: Real, { id, status, version, ...item }: Item): Promise<string> {
  const { status: code, body } = await real.queue.owner.call.getWorkItem({ path: pathTo(real, id) });
  expect(code).toBe(status === 'GONE' ? 404 : 200);
  if (status === 'GONE') return item.arrivedOn;
  const { priority, retryCount, failureKind } = item;
  const result = { COMPLETE: 'SUCCESS', FAILED: 'FAILURE' }[status as string];
  expect(body).toMatchObject({ status, version, priority, retryCount });
  expect([body.result, body.failureKind]).toEqual([result, failureKind]);
  expect(body.leaseExpiresOn !== undefined).toBe(status === 'IN_PROGRESS');
  expect(
    [body.pointOfNoReturnOn, body.cancelRequestedOn, body.notBefore].map((on) => on !== undefined),
  ).toEqual([item.isPassed, item.isCancelled, item.isDelayed]);
  expect(body.doubt !== undefined).toBe(failureKind === 'IN_DOUBT');
  return String(body.updatedOn);
}

/** Compares the timeline of the item with that of the model. */
export async function expectTimeline(real: Real, { id, timeline }: Item): Promise<void> {
  const { body } = await real.queue.owner.call.listWorkItemEvents({ path: pathTo(real, id) });
  const happened = body.list.map(({ operation, actorId, from, to }): Happening => {
    return { operation, by: real.actors.get(Number(actorId)) ?? 'millrace', from, to };
  });
  expect(happened).toEqual(timeline);
}

/** Compares the counts of the queue, and which items it holds, with the model. */
export async function expectQueue({ queue }: Real, items: readonly Item[]): Promise<void> {
  const left = items.filter(({ status }) => status !== 'GONE');
  const counts: Record<string, number> = { NEW: 0, IN_PROGRESS: 0, COMPLETE: 0, FAILED: 0, DEFERRED: 0 };
  for (const { status } of left) counts[status] = (counts[status] ?? 0) + 1;
  const stats = await queue.owner.call.getQueueStats({ path: queue.path });
  const inBackOff = left.filter(({ status, isDelayed }) => status === 'NEW' && isDelayed).length;
  const inDoubt = left.filter(({ failureKind }) => failureKind === 'IN_DOUBT').length;
  expect(stats.body).toMatchObject({ counts, inBackOff, inDoubt });
  const { body } = await queue.owner.call.listWorkItems({ path: queue.path });
  expect(body.list.map(({ id, status, version }) => ({ id: Number(id), status, version }))).toEqual(
    left.map(({ id, status, version }) => ({ id, status, version })),
  );
}
