import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startApp, type TestUser } from '../server/src/testing/app.ts';
import { handsOf, type Place } from './history/calls.ts';
import { report } from './history/check.ts';
import { automationToHold, deviceToHold, keep, queueToHold, type Holdable } from './history/keeper.ts';
import { readLines } from './history/log.ts';
import { runParticipant, type Participant } from './history/participant.ts';
import { crashes, endAll } from './history/processes.ts';
import { produce } from './history/producer.ts';
import { readHistory } from './history/reading.ts';
import type { Stage, Target, Told } from './history/record.ts';
import { repair, settle } from './history/repairer.ts';
import { runServer } from './history/server.ts';
import { createScene, type Scene } from './history/stage.ts';
import { strike } from './history/strikes.ts';

// The same seed makes the same choices; how processes get in each other's way differs all the same.
const seed = Number(process.env['HISTORY_SEED'] ?? Date.now() % 1_000_000);
const seconds = Number(process.env['HISTORY_SECONDS'] ?? 12);

/** What happens in every history: one without it would prove nothing. */
const happenings = ['requestWork', 'claimWorkItems', 'finishWorkItems'];

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-history-'));
const logs = path.join(folder, 'logs');
const feed = path.join(folder, 'feed');
mkdirSync(logs);

afterAll(async () => {
  await endAll();
  rmSync(folder, { recursive: true, force: true });
});

test(
  `every promise is kept while devices, consumers and servers die and freeze, and people interfere (HISTORY_SEED=${seed})`,
  async () => {
    const app = await startApp();
    const scene = await createScene(app);
    await app.stop();

    const servers = [await runServer(app.connection), await runServer(app.connection)] as const;
    const urls = servers.map(({ url }) => url);
    const placeOf = ({ id: by, token }: TestUser, name: string): Place => {
      return { urls, token, by, seed, name, log: path.join(logs, name) };
    };
    const participants = runParticipants(scene, placeOf);
    await Promise.all(participants.map(({ begun }) => begun));
    const enough = new AbortController();
    const people = runPeople(scene, placeOf, enough.signal);
    await strike({ servers, participants }, seed, seconds);
    enough.abort();
    await Promise.all(people);
    await drained(scene, placeOf);
    await readToTheEnd(placeOf(scene.admin, 'reader'));
    expect(crashes).toEqual([]);
    await endAll();

    const later = await startApp({}, app.connection);
    const caller = later.as(scene.admin.token);
    const history = await readHistory({ app: later, caller, stage: scene.stage, logs, feed });
    expect(history.record.map(({ operation }) => operation)).toEqual(expect.arrayContaining(happenings));
    expect(report(history)).toBe('');
  },
  (seconds + 400) * 1000,
);

type PlaceOf = (user: TestUser, name: string) => Place;

/** Devices, consumers and a reader, each in a process of its own. */
function runParticipants(scene: Scene, placeOf: PlaceOf): Participant[] {
  const { machines, consumers, admin, directQueueIds: queueIds } = scene;
  const devices = machines.map(({ user, ...machine }) =>
    runParticipant('runDevice', (life) => {
      return { ...placeOf(user, `${machine.hostName}, life ${life}`), ...machine };
    }),
  );
  const others = consumers.map((user) =>
    runParticipant('consume', (life) => {
      return { ...placeOf(user, `consumer ${user.id}, life ${life}`), queueIds };
    }),
  );
  const reader = runParticipant('readFeed', (life) => ({
    ...placeOf(admin, `reader, life ${life}`),
    log: feed,
  }));
  return [...devices, ...others, reader];
}

/** Those who put items in, hold things up and repair items. */
function runPeople(scene: Scene, placeOf: PlaceOf, signal: AbortSignal): Promise<void>[] {
  const { stage, owner, admin } = scene;
  const queueIds = stage.queues.map(({ id }) => id);
  const producers = ['one', 'two', 'three'].map((name) =>
    produce(placeOf(owner, `producer ${name}`), queueIds, signal),
  );
  const keepers = keepersOf(stage).map(({ name, things, held = new Set() }) =>
    keep(placeOf(admin, `keeper ${name}`), things, held, signal),
  );
  const repairers = [owner, admin].map((user) =>
    repair(placeOf(user, `repairer ${user.id}`), queueIds, signal),
  );
  return [...producers, ...keepers, ...repairers];
}

interface Keeper {
  readonly name: string;
  readonly things: readonly Holdable[];
  readonly held?: Set<Target>;
}

/** One for each kind of thing; two use the two automations of the last queue, of which one at a time may be ACTIVE. */
function keepersOf({ queues, devices, automations }: Stage): Keeper[] {
  const [first, second] = automations.slice(-2).map(({ id }) => automationToHold(id, 'STOPPED'));
  if (!first || !second) throw new Error('the last queue has two automations');
  const machines = devices.map(({ id }, index) =>
    deviceToHold(id, index % 2 === 0 ? 'quarantineDevice' : 'drainDevice'),
  );
  const paused = queues.slice(0, 3).map(({ id }) => queueToHold(id));
  return [
    { name: 'of devices', things: machines },
    { name: 'of queues', things: paused },
    {
      name: 'of automations',
      things: automations.slice(2, 5).map(({ id }) => automationToHold(id, 'PAUSED')),
    },
    { name: 'of the first', things: [first] },
    { name: 'of the second', things: [second], held: new Set([second.target]) },
  ];
}

/** Waits until nothing waits, is held or deferred, while people answer what is left. */
async function drained(scene: Scene, placeOf: PlaceOf): Promise<void> {
  const place = placeOf(scene.owner, 'settler');
  const { client } = handsOf(place);
  const queueIds = scene.stage.queues.map(({ id }) => id);
  const left = async () => {
    await settle(place, queueIds);
    const stats = await Promise.all(queueIds.map((id) => client().getQueueStats({ path: { id } })));
    return stats.flatMap(({ counts }) => counts.NEW + counts.IN_PROGRESS + counts.DEFERRED);
  };
  const nothing = queueIds.map(() => 0);
  await expect.poll(left, { timeout: 240_000, interval: 300 }).toEqual(nothing);
}

/** Waits until the reader has the newest event. */
async function readToTheEnd(place: Place): Promise<void> {
  const { client } = handsOf(place);
  const last = async () => (await client().listEvents({ query: { last: 1 } })).list[0]?.cursor;
  const isRead = async () => readLines<Told>(feed).at(-1)?.cursor === (await last());
  await expect.poll(isRead, { timeout: 60_000, interval: 200 }).toBe(true);
}
