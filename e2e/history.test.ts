import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient } from '@millrace/api';
import { expect, test } from 'vitest';
import { startPostgres } from '../server/src/postgres/supervisor.ts';
import { startApp, type App, type TestUser } from '../server/src/testing/app.ts';
import { atEnd } from '../server/src/testing/endings.ts';
import { startLine } from '../server/src/testing/line.ts';
import { handsOf, type Place } from './history/calls.ts';
import { report } from './history/check.ts';
import { mingle, shared } from './history/crowd.ts';
import { mountDisk } from './history/disk.ts';
import { automationToHold, deviceToHold, keep, queueToHold, type Holdable } from './history/keeper.ts';
import { readLines, readLogs } from './history/log.ts';
import { runParticipant, type Participant } from './history/participant.ts';
import { postgresIn } from './history/postgres.ts';
import { crashes, endAll } from './history/processes.ts';
import { produce } from './history/producer.ts';
import { readHistory } from './history/reading.ts';
import { notesOf, type History, type Stage, type Target, type ReadEvent } from './history/record.ts';
import { repair, settle } from './history/repairer.ts';
import { runServer, urlOf } from './history/server.ts';
import { createScene, type Scene } from './history/stage.ts';
import { chooseStrikes, fullDisk, strike, type Cast } from './history/strikes.ts';
import { send } from './history/uploader.ts';

// The same seed makes the same choices; the interplay of processes differs all the same.
const seed = Number(process.env['HISTORY_SEED'] ?? Date.now() % 1_000_000);
const seconds = Number(process.env['HISTORY_SECONDS'] ?? 12);
const chosen = chooseStrikes(seed, Math.max(2, Math.round(seconds / 5)));

/** Operations in every history: one without them would prove nothing. */
const happenings = [
  'requestWork',
  'claimWorkItems',
  'updateWorkItem',
  'finishWorkItems',
  'createWorkItemsFromFile',
];

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-history-'));
atEnd(() => rmSync(folder, { recursive: true, force: true }));
const [logs, data, feed] = ['logs', 'data', 'feed'].map((name) => path.join(folder, name)) as [
  string,
  string,
  string,
];
for (const made of [logs, data]) mkdirSync(made);

test(
  `every promise is kept while all that takes part dies and freezes, and people interfere (HISTORY_SEED=${seed})`,
  async () => {
    const { connection, ...struck } = await openDatabase();
    const app = await startApp({}, connection);
    const scene = await createScene(app);
    await app.stop();

    const reached = await startServers(connection);
    const urls = reached.servers.map(({ url }) => url);
    const placeOf = ({ id: by, token }: TestUser, name: string): Place => {
      return { urls, token, by, seed, name, log: path.join(logs, name) };
    };
    const participants = runParticipants(scene, placeOf);
    await Promise.all(participants.map(({ begun }) => begun));
    const enough = new AbortController();
    const people = Promise.all(runPeople(scene, placeOf, enough.signal));
    const struckBy = strike({ ...struck, ...reached, participants }, { seed, seconds, chosen });
    await Promise.race([struckBy, people]).finally(() => enough.abort());
    await Promise.all([struckBy, people]);
    await drained(scene, placeOf);
    await readToTheEnd(placeOf(scene.admin, 'reader'));
    expect([...crashes.values()]).toEqual([]);
    await endAll();
    expectKept(await historyOf(scene, await startApp({}, connection)));
  },
  (seconds + 400) * 1000,
);

/** A PostgreSQL that only this test strikes, on a disk of its own where that is to be filled. */
async function openDatabase() {
  const isFilled = chosen.includes(fullDisk);
  const disk = isFilled ? mountDisk(data, 600) : undefined;
  process.stdout.write(`Strikes: ${chosen.join(', ')}.\n`);
  if (typeof disk === 'string') process.stdout.write(`No disk is full this time: ${disk}\n`);
  const mounted = typeof disk === 'string' ? undefined : disk;
  if (mounted) atEnd(mounted.unmount);
  const settings = { fsync: 'off', max_connections: '300' };
  const postgres = await startPostgres({ dataFolder: data, log: () => undefined, settings });
  atEnd(() => postgres.stop());
  const { connection } = postgres;
  return { connection, disk: mounted, database: postgresIn(data) };
}

/** Two servers, each with a line of its own to the database. */
async function startServers(connection: App['connection']): Promise<Pick<Cast, 'servers' | 'lines'>> {
  atEnd(endAll);
  const begin = async () => {
    const line = await startLine(connection);
    const settings = { MILLRACE_DATABASE_URL: urlOf(line.connection), MILLRACE_ALLOW_LOSS: 'yes' };
    return { line, server: await runServer(settings) };
  };
  const [one, other] = [await begin(), await begin()];
  return { servers: [one.server, other.server], lines: [one.line, other.line] };
}

function historyOf({ stage, admin }: Scene, app: App): Promise<History> {
  const told = { stage, logs: readLogs(logs), feed: readLines<ReadEvent>(feed) };
  const client = createClient({ url: app.url, token: admin.token });
  return readHistory({ client, sql: (text, values) => app.sql(text, values) }, told);
}

function expectKept(history: History): void {
  expect(history.record.map(({ operation }) => operation)).toEqual(expect.arrayContaining(happenings));
  const denied = notesOf(history, 'denied').map(({ operation }) => operation);
  expect(denied).toEqual(expect.arrayContaining(shared));
  expect(report(history)).toBe('');
}

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

/** The people who put items in, hold things up and repair items. */
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
  const crowd = {
    participant: placeOf(scene.crowd.participant, 'participant of the crowd'),
    consumer: placeOf(scene.crowd.consumer, 'consumer of the crowd'),
    stranger: placeOf(scene.crowd.stranger, 'stranger in the crowd'),
  };
  const meeting = { queueIds: scene.directQueueIds, deviceIds: stage.devices.map(({ id }) => id) };
  const uploader = send(placeOf(owner, 'uploader'), queueIds, signal);
  return [...producers, uploader, ...keepers, ...repairers, mingle(crowd, meeting, signal)];
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

/** Waits until no item waits, is held or deferred, while people answer for the remaining ones. */
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
  await expect.poll(left, { interval: 300 }).toEqual(nothing);
}

/** Waits until the reader has the newest event. */
async function readToTheEnd(place: Place): Promise<void> {
  const { client } = handsOf(place);
  const last = async () => (await client().listEvents({ query: { last: 1 } })).list[0]?.cursor;
  const isRead = async () => readLines<ReadEvent>(feed).at(-1)?.cursor === (await last());
  await expect.poll(isRead, { interval: 200 }).toBe(true);
}
