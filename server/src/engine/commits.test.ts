import { expect, test } from 'vitest';
import { createDatabase, startApp } from '../testing/app.ts';
import { createQueue } from '../testing/fixtures.ts';
import { startProxy } from '../testing/proxy.ts';

const proxy = await startProxy(await createDatabase());
const app = await startApp({}, proxy.connection);

const byText = (a: string, b: string) => a.localeCompare(b);

/** Performs the work while no commit is answered. */
async function unanswered<T>(work: () => Promise<T>): Promise<T> {
  proxy.loseCommits(true);
  try {
    return await work();
  } finally {
    proxy.loseCommits(false);
  }
}

test('createWorkItems stores nothing twice when calls share a commit whose answer is lost, and says so to each', async () => {
  const queue = await createQueue(app);
  const customers = Array.from({ length: 20 }, (_, index) => `customer ${index}`);
  const create = (customer: string) =>
    queue.owner.call.createWorkItems({ path: queue.path, body: { workItems: [{ json: { customer } }] } });
  const answers = await unanswered(() => Promise.all(customers.map(create)));
  for (const { status, error, headers } of answers) {
    expect([status, error.code, headers.get('retry-after')]).toEqual([503, 'UNAVAILABLE', '1']);
    expect(error.message).toContain('look first whether it did');
  }
  const stored = await queue.claim(100);
  const names = stored.map(({ json }) => String(json?.['customer']));
  expect(names.toSorted(byText)).toEqual(customers.toSorted(byText));
});

test('claimWorkItems gives out each item once when the answer to the commit is lost', async () => {
  const queue = await createQueue(app);
  await queue.add(...Array.from({ length: 30 }, (_, index) => index));
  const claim = () => queue.consumer.call.claimWorkItems({ path: queue.path, body: { count: 1 } });
  const answers = await unanswered(() => Promise.all(Array.from({ length: 10 }, claim)));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
  expect(await queue.claim(100)).toHaveLength(20);
});
