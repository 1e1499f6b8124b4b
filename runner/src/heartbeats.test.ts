import { ConnectionError, type Id, type Schemas } from '@millrace/api';
import { expect, test } from 'vitest';
import { Cancelled, LeaseLost, RunnerStopped } from './errors.ts';
import type { RunnerEvent } from './events.ts';
import {
  createHeartbeats,
  keepLeases,
  noteProgress,
  passPointOfNoReturn,
  type SendHeartbeats,
} from './heartbeats.ts';
import type { WorkItem } from './item.ts';
import { addLog, createLeases, drop, hold, idle } from './leases.ts';

type Answer = (sent: Schemas['Lease'][]) => ReturnType<SendHeartbeats>;

const item = (id: number, version = 1, queueId = 1): WorkItem => ({ id, queueId, version, json: {} });
const kept: Answer = (sent) => Promise.resolve(sent.map(({ id }) => ({ id })));

/** Heartbeats with their calls, the queues of these, and the emitted events. */
function watched(answer: Answer = kept) {
  const calls: Schemas['Lease'][][] = [];
  const queues: Id[] = [];
  const events: RunnerEvent[] = [];
  const send: SendHeartbeats = (queueId, sent) => {
    queues.push(queueId);
    calls.push(sent);
    return answer(sent);
  };
  const leases = createLeases((event) => void events.push(event));
  const heartbeats = createHeartbeats(leases, 60, send, new AbortController().signal);
  return { leases, heartbeats, beat: heartbeats.beat, calls, queues, events };
}

test('one heartbeat keeps all items', async () => {
  const { leases, beat, calls } = watched();
  hold(leases, item(1));
  hold(leases, item(2, 5));
  await beat();
  expect(calls).toEqual([
    [
      { id: 1, version: 1, leaseSeconds: 60 },
      { id: 2, version: 5, leaseSeconds: 60 },
    ],
  ]);
});

test('nothing is sent when nothing is held', async () => {
  const { leases, beat, calls } = watched();
  drop(leases, hold(leases, item(1)));
  await beat();
  await idle(leases);
  expect(calls).toEqual([]);
});

test('progress goes out at once, and only once', async () => {
  const { leases, heartbeats, beat, calls } = watched();
  const lease = hold(leases, item(1));
  await noteProgress(heartbeats, lease, { percent: 50, text: 'scored' });
  await beat();
  expect(calls.map(([one]) => one?.progress)).toEqual([{ percent: 50, text: 'scored' }, undefined]);
});

test('progress noted while a heartbeat is under way goes with the next, the latest of each item', async () => {
  const { leases, heartbeats, calls } = watched();
  const lease = hold(leases, item(1));
  const first = noteProgress(heartbeats, lease, { percent: 1 });
  const others = [2, 3, 4].map((percent) => noteProgress(heartbeats, lease, { percent }));
  await Promise.all([first, ...others]);
  expect(calls.map(([one]) => one?.progress?.percent)).toEqual([1, 4]);
});

test('progress that could not be sent is sent later', async () => {
  const failures = [new ConnectionError('http://x', 'refused', 'Check.')];
  const { leases, heartbeats, beat, calls, events } = watched((sent) => {
    const failure = failures.shift();
    return failure === undefined ? Promise.resolve(sent.map(({ id }) => ({ id }))) : Promise.reject(failure);
  });
  await noteProgress(heartbeats, hold(leases, item(1)), { percent: 50 });
  await beat();
  expect(calls.map(([one]) => one?.progress?.percent)).toEqual([50, 50]);
  expect(events.map(({ type }) => type)).toEqual(['retrying']);
});

test('an item that the server does not leave to us is let go, and not asked for again', async () => {
  const error = { code: 'LEASE_LOST', message: 'held by another' };
  const { leases, beat, calls, events } = watched((sent) =>
    Promise.resolve(sent.map(({ id }) => (id === 1 ? { id, error } : { id }))),
  );
  const [lost, stays] = [hold(leases, item(1)), hold(leases, item(2))];
  await beat();
  await beat();
  expect(lost.controller.signal.reason).toEqual(new LeaseLost('LEASE_LOST', 'held by another'));
  expect(stays.controller.signal.aborted).toBe(false);
  expect(events).toEqual([{ type: 'leaseLost', id: 1, code: 'LEASE_LOST', message: 'held by another' }]);
  expect(calls.map((sent) => sent.map(({ id }) => id))).toEqual([[1, 2], [2]]);
});

test('an item that was finished while the heartbeat was under way is not lost', async () => {
  const { leases, beat, events } = watched((sent) => {
    drop(leases, lease);
    return Promise.resolve(
      sent.map(({ id }) => ({ id, error: { code: 'LEASE_LOST', message: 'is COMPLETE' } })),
    );
  });
  const lease = hold(leases, item(1));
  await beat();
  expect(lease.controller.signal.aborted).toBe(false);
  expect(events).toEqual([]);
});

test('an item that is claimed anew was lost before', () => {
  const { leases, events } = watched();
  const before = hold(leases, item(1, 1));
  const after = hold(leases, item(1, 3));
  expect(before.controller.signal.aborted).toBe(true);
  expect(after.controller.signal.aborted).toBe(false);
  expect(events).toMatchObject([{ type: 'leaseLost', code: 'CLAIMED_AGAIN' }]);
});

test('the runner is idle when the last handler has ended', async () => {
  const { leases } = watched();
  const held = [hold(leases, item(1)), hold(leases, item(2))];
  const order: string[] = [];
  const waiting = idle(leases).then(() => order.push('idle'));
  for (const lease of held) {
    await Promise.resolve();
    order.push(`drop ${String(lease.item.id)}`);
    drop(leases, lease);
  }
  await waiting;
  expect(order).toEqual(['drop 1', 'drop 2', 'idle']);
});

const passed: Answer = (sent) =>
  Promise.resolve(sent.map(({ id }) => ({ id, pointOfNoReturnOn: '2026-03-02T08:21:30.000Z' })));

test('the point of no return is passed when the server has it, and is not asked for again', async () => {
  const { leases, heartbeats, beat, calls } = watched(passed);
  const lease = hold(leases, item(1));
  await passPointOfNoReturn(heartbeats, lease);
  await passPointOfNoReturn(heartbeats, lease);
  await beat();
  expect(calls.map(([one]) => one?.pointOfNoReturn)).toEqual([true, undefined]);
});

test('the point of no return is asked for until the server answers', async () => {
  const answers: Answer[] = [
    () => Promise.reject(new ConnectionError('http://x', 'refused', 'Check.')),
    passed,
  ];
  const { leases, heartbeats, calls } = watched((sent) => answers.shift()?.(sent) ?? kept(sent));
  await passPointOfNoReturn(heartbeats, hold(leases, item(1)));
  expect(calls.map(([one]) => one?.pointOfNoReturn)).toEqual([true, true]);
});

test.each([
  ['was lost', { error: { code: 'LEASE_LOST', message: 'held by another' } }, LeaseLost],
  ['is cancelled', { cancel: { by: 'ana', reason: 'sent twice' } }, Cancelled],
])('the point of no return is not passed when the item %s', async (_, outcome, reason) => {
  const { leases, heartbeats } = watched((sent) =>
    Promise.resolve(sent.map(({ id }) => ({ id, ...outcome }))),
  );
  await expect(passPointOfNoReturn(heartbeats, hold(leases, item(1)))).rejects.toBeInstanceOf(reason);
});

test('the point of no return of an item that was reported is refused', async () => {
  const { leases, heartbeats } = watched(passed);
  const lease = hold(leases, item(1));
  drop(leases, lease);
  await expect(passPointOfNoReturn(heartbeats, lease)).rejects.toThrow(/was reported before/);
});

test('a cancelled item is kept until it is reported, and its handler is told once', async () => {
  const cancel = { by: 'ana', reason: 'sent twice' };
  const { leases, beat, calls, events } = watched((sent) =>
    Promise.resolve(sent.map(({ id }) => ({ id, cancel }))),
  );
  const lease = hold(leases, item(1));
  await beat();
  await beat();
  expect(lease.controller.signal.reason).toEqual(new Cancelled('Cancelled by ana: sent twice'));
  expect(calls).toHaveLength(2);
  expect(events).toEqual([{ type: 'cancelled', id: 1, message: 'Cancelled by ana: sent twice' }]);
});

test('an item that is stopped is kept until it is reported', async () => {
  const { leases, beat, calls } = watched();
  hold(leases, item(1)).controller.abort(new RunnerStopped(false));
  await beat();
  expect(calls).toHaveLength(1);
});

test('the newest output goes with a heartbeat when it has changed, and again when that did not get through', async () => {
  const answers: Answer[] = [
    kept,
    () => Promise.reject(new ConnectionError('http://x', 'refused', 'Check.')),
  ];
  const { leases, beat, calls } = watched((sent) => answers.shift()?.(sent) ?? kept(sent));
  const lease = hold(leases, item(1));
  addLog(lease, 'one');
  await beat();
  addLog(lease, 'two');
  for (let beats = 0; beats < 3; beats += 1) await beat();
  expect(calls.map(([one]) => one?.logTail)).toEqual(['one\n', 'one\ntwo\n', 'one\ntwo\n', undefined]);
});

test('of the output the newest 16,384 characters are sent, as text that the server takes', async () => {
  const { leases, beat, calls } = watched();
  const lease = hold(leases, item(1));
  addLog(lease, `${'x'.repeat(20_000)}\0\ud800end`);
  await beat();
  const tail = calls[0]?.[0]?.logTail ?? '';
  expect(tail).toHaveLength(16_383);
  expect(tail.endsWith('x\ufffdend\n')).toBe(true);
});

test('long outputs are spread over calls', async () => {
  const { leases, beat, calls } = watched();
  for (let id = 1; id <= 200; id += 1) addLog(hold(leases, item(id)), 'x'.repeat(20_000));
  await beat();
  expect(calls.map((sent) => sent.length)).toEqual([122, 78]);
});

test('items of several queues are kept by a call for each queue', async () => {
  const { leases, beat, queues, calls } = watched();
  [item(1, 1, 7), item(2, 1, 8), item(3, 1, 7)].forEach((one) => hold(leases, one));
  await beat();
  expect(queues).toEqual([7, 8]);
  expect(calls.map((sent) => sent.map(({ id }) => id))).toEqual([[1, 3], [2]]);
});

test('a queue whose heartbeat fails does not keep the others from theirs', async () => {
  const { leases, heartbeats, beat, events } = watched((sent) =>
    sent[0]?.id === 1
      ? Promise.reject(new ConnectionError('http://x', 'refused', 'Check.'))
      : Promise.resolve([{ id: 2, error: { code: 'LEASE_LOST', message: 'held by another' } }]),
  );
  [item(1, 1, 7), item(2, 1, 8)].forEach((one) => hold(leases, one));
  await beat();
  expect(events.map(({ type }) => type)).toEqual(['leaseLost', 'retrying']);
  expect(heartbeats.failures).toBe(1);
});

test('heartbeats go on until told to stop', async () => {
  const calls: number[] = [];
  const stop = new AbortController();
  const send: SendHeartbeats = (_, sent) => {
    calls.push(sent.length);
    if (calls.length === 3) stop.abort();
    return Promise.resolve([]);
  };
  const leases = createLeases(() => undefined);
  hold(leases, item(1));
  await keepLeases(createHeartbeats(leases, 0.03, send, stop.signal));
  expect(calls).toEqual([1, 1, 1]);
});
