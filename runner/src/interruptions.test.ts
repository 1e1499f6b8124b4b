import type { Id, Schemas } from '@millrace/api';
import { test, type TestContext } from 'vitest';
import { Cancelled } from './errors.ts';
import { createHeartbeats, type SendHeartbeats } from './heartbeats.ts';
import { hearOfInterruptions } from './interruptions.ts';
import type { WorkItem } from './item.ts';
import { createLeases, drop, hold } from './leases.ts';

const item = (id: number, queueId = 1): WorkItem => ({ id, queueId, version: 1, json: {} });
const cancel = { by: 'ana', reason: 'sent twice' };

/** A waiting call, and the function that answers it. */
interface Call {
  readonly queueId: Id;
  readonly ids: readonly Id[];
  readonly answer: (outcomes: Schemas['LeaseOutcome'][]) => void;
}

/** A runner that listens, its open calls, and the number of its heartbeats. */
function listening({ onTestFinished }: TestContext) {
  const calls: Call[] = [];
  const stop = new AbortController();
  let beats = 0;
  const send: SendHeartbeats = (_, sent) => {
    beats += 1;
    return Promise.resolve(sent.map(({ id }) => (id === 1 ? { id, cancel } : { id })));
  };
  const leases = createLeases(() => undefined);
  const heard = hearOfInterruptions(
    createHeartbeats(leases, 3600, send, stop.signal),
    (queueId, watched) =>
      new Promise((answer) => {
        calls.push({ queueId, ids: watched.map(({ id }) => id), answer });
        stop.signal.addEventListener('abort', () => answer([]));
      }),
  );
  onTestFinished(async () => {
    stop.abort();
    await heard;
  });
  return { leases, calls, beats: () => beats };
}

// A call comes a second after an item at the earliest: the tests wait side by side.
test.concurrent(
  'an item that is cancelled is stopped at once, long before its next heartbeat',
  async (context) => {
    const { expect } = context;
    const { leases, calls } = listening(context);
    const [cancelled, other] = [hold(leases, item(1)), hold(leases, item(2))];
    await expect.poll(() => calls).toMatchObject([{ ids: [1, 2] }]);
    calls[0]?.answer([{ id: 1, cancel }]);
    await expect.poll(() => cancelled.controller.signal.reason).toBeInstanceOf(Cancelled);
    expect(other.controller.signal.aborted).toBe(false);
    // It is not watched any more; the other one is, by the next call.
    await expect.poll(() => calls).toMatchObject([{ ids: [1, 2] }, { ids: [2] }]);
  },
);

test.concurrent(
  'items of several queues, and those that come later, are watched by calls of their own',
  async (context) => {
    const { expect } = context;
    const { leases, calls } = listening(context);
    [item(1, 7), item(2, 8), item(3, 7)].forEach((one) => hold(leases, one));
    await expect.poll(() => calls).toHaveLength(2);
    hold(leases, item(4, 7));
    await expect.poll(() => calls).toHaveLength(3);
    expect(calls.map(({ queueId, ids }) => [queueId, ids])).toEqual([
      [7, [1, 3]],
      [8, [2]],
      [7, [4]],
    ]);
  },
);

test.concurrent('an item that is done at once is not watched', async (context) => {
  const { expect } = context;
  const { leases, calls } = listening(context);
  drop(leases, hold(leases, item(1)));
  const brief = hold(leases, item(2));
  hold(leases, item(3));
  drop(leases, brief);
  await expect.poll(() => calls).toMatchObject([{ ids: [3] }]);
});

test.concurrent(
  'what is said of an item that was reported meanwhile brings no heartbeat',
  async (context) => {
    const { expect } = context;
    const { leases, calls, beats } = listening(context);
    const done = hold(leases, item(1));
    hold(leases, item(2));
    await expect.poll(() => calls).toHaveLength(1);
    drop(leases, done);
    calls[0]?.answer([{ id: 1, error: { code: 'LEASE_LOST', message: 'is COMPLETE' } }]);
    await expect.poll(() => calls).toMatchObject([{}, { ids: [2] }]);
    expect(beats()).toBe(0);
  },
);
