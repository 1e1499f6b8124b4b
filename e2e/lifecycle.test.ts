import fc from 'fast-check';
import { beforeAll, test } from 'vitest';
import { startApp, type App, type TestUser } from '../server/src/testing/app.ts';
import { createQueue } from '../server/src/testing/fixtures.ts';
import type { Actor } from './lifecycle/actions.ts';
import { anything } from './lifecycle/anything.ts';
import {
  cancel,
  claim,
  create,
  due,
  goOn,
  pass,
  remove,
  repeat,
  report,
  type Command,
  type Model,
} from './lifecycle/commands.ts';
import { lapseLimit, retryLimit } from './lifecycle/model.ts';
import { expectItem, expectQueue, expectTimeline, type Real } from './lifecycle/real.ts';

/** The seconds that an item waits before a retry, and the commands. */
type Run = [backOff: number, Iterable<Command>];

// Long enough not to end by itself while a run lasts.
const longBackOff = 36_000;

/** A failure prints its seed and path; put here, they repeat it. */
const replay: fc.Parameters<Run> = {};

// A slow machine does fewer random runs: the next test run makes others.
const limits = { numRuns: 40, interruptAfterTimeLimit: 20_000 };

const first = { priority: 4, isDeferred: false };
const ownGrant = { nth: 0, isLive: true, isStale: false, isThief: false };

/** Runs that failed once, and those that are rare by chance. */
const examples: Run[] = [
  [
    0,
    // The server took the report for a late one, because another consumer had claimed the item since.
    [
      create([first]),
      claim({ by: 'second consumer', count: 1 }),
      report({ ...ownGrant, says: 'SYSTEM', way: 'finishWorkItems' }),
      claim({ by: 'first consumer', count: 1 }),
      repeat({ nth: 0, way: 'finishWorkItems' }),
    ],
  ],
  [
    0,
    // A cancelled item passes the point of no return no more, and is not tried again.
    [
      create([first]),
      claim({ by: 'first consumer', count: 1 }),
      cancel({ nth: 0, isLive: true }),
      pass(ownGrant),
      report({ ...ownGrant, says: 'NEW', way: 'finishWorkItems' }),
    ],
  ],
  [
    longBackOff,
    // Failed items go behind waiting ones: on their retry when its time comes, and when they are restarted.
    [
      create([first, first, first]),
      claim({ by: 'first consumer', count: 2 }),
      report({ ...ownGrant, says: 'SYSTEM', way: 'finishWorkItems' }),
      report({ ...ownGrant, says: 'BUSINESS', way: 'updateWorkItem' }),
      due(0),
      goOn({ nth: 1, isStale: false, name: 'restart' }),
      claim({ by: 'second consumer', count: 3 }),
    ],
  ],
  [
    longBackOff,
    // An item deleted while it waits for its retry is never due.
    [
      create([first]),
      claim({ by: 'first consumer', count: 1 }),
      report({ ...ownGrant, says: 'SYSTEM', way: 'updateWorkItem' }),
      remove(0),
      due(0),
    ],
  ],
];

let app: App;
let second: TestUser;

beforeAll(async () => {
  app = await startApp();
  second = await app.user('second runner', ['AAE_Bot Runner']);
});

async function setup(backOff: number): Promise<{ model: Model; real: Real }> {
  const retryBackOff = backOff > 0 ? { type: 'FIXED', seconds: backOff } : { type: 'NONE' };
  const queue = await createQueue(app, { autoRetryLimit: retryLimit, lapseLimit, retryBackOff });
  const { owner, consumer } = queue;
  const consumers = { 'first consumer': consumer.call, 'second consumer': second.call };
  const actors = new Map<number, Actor>([
    [owner.id, 'owner'],
    [consumer.id, 'first consumer'],
    [second.id, 'second consumer'],
  ]);
  return { model: { items: [], grants: [], backOff }, real: { app, queue, consumers, actors } };
}

test('items live as the model says, whatever happens to them in whatever order', async () => {
  const histories = fc.commands([anything], { maxCommands: 60, size: 'max' });
  const backOffs = fc.constantFrom(0, longBackOff);
  const property = fc.asyncProperty(backOffs, histories, async (backOff, commands) => {
    const { model, real } = await setup(backOff);
    await fc.asyncModelRun(() => ({ model, real }), commands);
    for (const item of model.items) {
      await expectItem(real, item);
      await expectTimeline(real, item);
    }
    await expectQueue(real, model.items);
  });
  await fc.assert(property, { numRuns: examples.length, examples });
  // On a machine too slow for a single run in the time, the examples have to do.
  const outcome = await fc.check(property, { ...limits, ...replay });
  if (outcome.counterexample)
    throw new Error(fc.defaultReportMessage(outcome), { cause: outcome.errorInstance });
});
