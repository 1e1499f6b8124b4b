import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startApp, type App, type TestUser } from '../server/src/testing/app.ts';
import { createQueue } from '../server/src/testing/fixtures.ts';
import { clientOf, type Place } from './history/calls.ts';
import { check, evidence } from './history/check.ts';
import { crashes, endAll, runConsumer, runServer, type ServerProcess } from './history/processes.ts';
import { produce } from './history/producer.ts';
import { readHistory } from './history/reading.ts';
import { strike } from './history/strikes.ts';

const retryLimit = 2;
const rounds = 12;
const producersPerServer = 2;
const logs = mkdtempSync(path.join(tmpdir(), 'millrace-history-'));

afterAll(async () => {
  await endAll();
  rmSync(logs, { recursive: true, force: true });
});

test('every promise to producers and consumers is kept while they and the servers die and pause', async () => {
  const app = await startApp();
  const queue = await createQueue(app, { autoRetryLimit: retryLimit, lapseLimit: 0 });
  const users = await createUsers(app);
  await app.stop();

  const servers = [await runServer(app.connection), await runServer(app.connection)] as const;
  const placeOf = ({ url }: ServerProcess, { token }: TestUser, name: string): Place => {
    return { url, token, queueId: queue.id, log: path.join(logs, name) };
  };
  const serverFor = (index: number) => (index % 2 === 0 ? servers[0] : servers[1]);
  const consumers = users.map((user, index) =>
    runConsumer((life) => {
      const place = placeOf(serverFor(index), user, `consumer ${user.id}, life ${life}`);
      return { ...place, by: user.id };
    }),
  );
  const enough = new AbortController();
  const producers = Array.from({ length: 2 * producersPerServer }, (_, index) =>
    produce(placeOf(serverFor(index), queue.owner, `producer ${index}`), enough.signal),
  );
  await strike(rounds, servers, consumers);
  enough.abort();
  await Promise.all(producers);
  await drained(placeOf(servers[0], queue.owner, ''));
  expect(crashes).toEqual([]);
  await endAll();

  const later = await startApp({}, app.connection);
  const caller = later.as(queue.owner.token);
  const history = await readHistory({ app: later, caller, queueId: queue.id, logs, retryLimit });
  expect(history.items.length).toBeGreaterThan(rounds);
  const violations = check(history);
  expect(violations, evidence(history, violations)).toEqual([]);
}, 180_000);

function createUsers(app: App): Promise<TestUser[]> {
  const names = ['Ada', 'Ben', 'Cid', 'Dora'];
  return Promise.all(names.map((name) => app.user(name, ['AAE_Bot Runner'])));
}

/** Waits until nothing waits, is held or deferred. */
async function drained(place: Place): Promise<void> {
  const client = clientOf(place);
  const left = async () => {
    const { counts } = await client.getQueueStats({ path: { id: place.queueId } });
    return counts.NEW + counts.IN_PROGRESS + counts.DEFERRED;
  };
  await expect.poll(left, { timeout: 60_000, interval: 200 }).toBe(0);
}
