import fc from 'fast-check';
import { beforeAll, test } from 'vitest';
import { startApp, type App, type TestUser } from '../server/src/testing/app.ts';
import { createQueue } from '../server/src/testing/fixtures.ts';
import { anything } from './lifecycle/anything.ts';
import { claim, create, repeat, report, type Command, type Model } from './lifecycle/commands.ts';
import { retryLimit, type Actor } from './lifecycle/model.ts';
import { expectItem, expectQueue, expectTimeline, type Real } from './lifecycle/real.ts';

type Run = [Iterable<Command>];

/** A failure prints its seed and path; put here, they bring it back. */
const replay: fc.Parameters<Run> = {};

// On a slow machine fewer runs are enough: the next test run makes others.
const limits = { numRuns: 40, interruptAfterTimeLimit: 20_000 };

const ownGrant = { nth: 0, isLive: true, isStale: false, isThief: false };

/** What went wrong once. */
const examples: Run[] = [
  [
    // The report was taken for a late one, because another consumer had claimed the item since.
    [
      create([{ priority: 4, isDeferred: false }]),
      claim({ by: 'second consumer', count: 1 }),
      report({ ...ownGrant, says: 'SYSTEM', way: 'finishWorkItems' }),
      claim({ by: 'first consumer', count: 1 }),
      repeat({ nth: 0, way: 'finishWorkItems' }),
    ],
  ],
];

let app: App;
let second: TestUser;

beforeAll(async () => {
  app = await startApp();
  second = await app.user('second runner', ['AAE_Bot Runner']);
});

async function setup(): Promise<{ model: Model; real: Real }> {
  const queue = await createQueue(app, { autoRetryLimit: retryLimit });
  const { owner, consumer } = queue;
  const consumers = { 'first consumer': consumer.call, 'second consumer': second.call };
  const actors = new Map<number, Actor>([
    [owner.id, 'owner'],
    [consumer.id, 'first consumer'],
    [second.id, 'second consumer'],
  ]);
  return { model: { items: [], grants: [] }, real: { app, queue, consumers, actors } };
}

test('items live as the model says, whatever happens to them in whatever order', async () => {
  const histories = fc.commands([anything], { maxCommands: 60, size: 'max' });
  const property = fc.asyncProperty(histories, async (commands) => {
    const { model, real } = await setup();
    await fc.asyncModelRun(() => ({ model, real }), commands);
    for (const item of model.items) {
      await expectItem(real, item);
      await expectTimeline(real, item);
    }
    await expectQueue(real, model.items);
  });
  await fc.assert(property, { ...limits, examples, ...replay });
}, 120_000);
