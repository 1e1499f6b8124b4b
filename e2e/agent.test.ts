import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Id } from '@millrace/api';
import type { AgentConfig, AgentOptions } from '@millrace/runner';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAlive } from '../runner/src/bots/alive.fixture.ts';
import { startApp, type App } from '../server/src/testing/app.ts';
import { createBotUser, createWork, numbered, startAgent, type BotUser, type Work } from './work.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-agent-'));
let app: App;
let bot: BotUser;
let hosts = 0;

beforeAll(async () => {
  app = await startApp();
  bot = await createBotUser(app, 'runner');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shell = (script: string) => ({ command: ['sh', '-c', script], cwd: folder, killGraceSeconds: 1 });
const read = (file: string) => () => readFileSync(path.join(folder, file), 'utf8').trim();

/** Answers every item with the number of its process. */
const warm = {
  command: [
    process.execPath,
    '-e',
    `require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
       const { id, botName } = JSON.parse(line);
       console.log(JSON.stringify({ id, status: 'COMPLETE', output: { pid: process.pid, botName } }));
     });`,
  ],
  warm: true,
};

async function expectDead(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid)).toBe(false);
}

/** An agent with these bots in a pool of its own, and the function that gives it the work of queues. */
async function startDevice(
  bots: AgentConfig['bots'],
  more: Partial<AgentConfig> = {},
  options: Partial<AgentOptions> = {},
) {
  hosts += 1;
  const hostName = `runner-${String(hosts)}`;
  const config = { bots, ...more, device: { hostName, slots: 1, ...more.device } };
  const access = { url: app.url, username: bot.username, apiKey: bot.apiKey };
  const agent = startAgent({ ...access, ...options, config });
  await expect.poll(() => agent.seen('registered')).toHaveLength(1);
  const [registered] = agent.seen('registered') as { deviceId: Id }[];
  const id = registered?.deviceId as Id;
  const pool = await app.admin.createPool({ body: { name: hostName, deviceIds: [id] } });
  const automate = async ({ queueId, name }: Work, botName: string, runAsUserIds: Id[] = []) => {
    const body = { name, queueId, poolId: pool.body.id, botName, runAsUserIds };
    expect((await app.admin.createAutomation({ body })).status).toBe(200);
  };
  const device = async () => (await app.admin.getDevice({ path: { id } })).body;
  return { ...agent, id, hostName, automate, device };
}

async function firstOf(work: Work) {
  const [first] = await work.items();
  return (await app.admin.getWorkItem({ path: { id: work.queueId, workItemId: first?.id as Id } })).body;
}

test('an agent does the items of many queues by the bots that the server names', async () => {
  const works = [await createWork(app, 'Scores', numbered(6)), await createWork(app, 'Words', numbered(4))];
  const bots = { score: warm, count: shell(`cat > /dev/null; echo '{"words":3}'`) };
  const device = { hostName: 'many.example.com', nickname: 'Many', labels: ['sap'], slots: 2 };
  const agent = await startDevice(bots, { device });
  expect(await agent.device()).toMatchObject({
    ...device,
    bots: ['count', 'score'],
    state: 'ACTIVE',
    status: 'CONNECTED',
  });
  await agent.automate(works[0] as Work, 'score');
  await agent.automate(works[1] as Work, 'count');
  for (const work of works)
    await expect.poll(work.statuses).toHaveProperty('COMPLETE', (await work.items()).length);
  expect(await agent.drained()).toMatchObject({ completed: 10, refused: 0, lost: 0, unreported: 0 });
  const [scored, counted] = await Promise.all(works.map((work) => work.items()));
  expect(scored?.every(({ deviceId }) => deviceId === agent.id)).toBe(true);
  expect(scored?.[0]?.output).toMatchObject({ botName: 'score' });
  // Two slots: no more than two processes have done the six items.
  expect(new Set(scored?.map(({ output }) => output?.['pid'])).size).toBeLessThanOrEqual(2);
  expect(counted?.map(({ output }) => output)).toEqual(Array.from({ length: 4 }, () => ({ words: 3 })));
});

test('a bot is told as whom it is to work, in its item and its environment', async () => {
  const work = await createWork(app, 'Run as', numbered(1));
  const agent = await startDevice({
    who: shell(`cat > run-as-item; echo '{"user":"'"$MILLRACE_RUN_AS_USER"'"}'`),
  });
  const robot = await app.user('sap-robot');
  await agent.automate(work, 'who', [robot.id]);
  await expect.poll(work.statuses).toEqual({ COMPLETE: 1 });
  expect((await firstOf(work)).output).toEqual({ user: 'sap-robot' });
  expect(JSON.parse(read('run-as-item')())).toMatchObject({
    runAsUser: { id: robot.id, username: 'sap-robot' },
  });
  await agent.drained();
});

test('a bot that the agent does not know is refused with a reason that people see, and not sent again', async () => {
  const work = await createWork(app, 'Unknown', numbered(1));
  const agent = await startDevice({ score: warm });
  // The server believes for a moment that the device can run it.
  const { hostName } = agent;
  await bot.user.call.registerDevice({ body: { hostName, bots: ['score', 'ghost'] } });
  await agent.automate(work, 'ghost');
  const reason = `unknown bot "ghost" on device ${hostName}`;
  await expect
    .poll(async () => (await work.events((await firstOf(work)).id)).map((event) => event.reason))
    .toContain(reason);
  await expect.poll(async () => (await agent.device()).bots).toEqual(['score']);
  expect(await firstOf(work)).toMatchObject({ status: 'NEW', retryCount: 0 });
  expect(agent.seen('note')).toEqual([
    expect.objectContaining({
      text: expect.stringContaining(`Another agent registers as ${hostName}`) as string,
    }),
  ]);
  expect(await agent.drained()).toMatchObject({ givenBack: 1, completed: 0 });
});

test('a bot that cannot be started gives its item back and is not offered any more; the others go on', async () => {
  const broken = await createWork(app, 'Broken', numbered(1));
  const sound = await createWork(app, 'Sound', numbered(2));
  const agent = await startDevice({ score: warm, absent: { command: ['./no-such-bot'] } });
  await agent.automate(broken, 'absent');
  await expect.poll(async () => (await agent.device()).bots).toEqual(['score']);
  await agent.automate(sound, 'score');
  await expect.poll(sound.statuses).toEqual({ COMPLETE: 2 });
  await agent.drained();
  expect(await firstOf(broken)).toMatchObject({ status: 'NEW', retryCount: 0 });
  const reasons = (await broken.events((await firstOf(broken)).id)).map((event) => event.reason);
  expect(reasons).toContainEqual(expect.stringContaining('Cannot start "./no-such-bot"'));
});

test('a person who cancels an item has its whole process group ended, long before the next heartbeat', async () => {
  const work = await createWork(app, 'Stopped', numbered(1), 3);
  const agent = await startDevice(
    { sleep: shell('sleep 600 & echo $! > sleeper; wait') },
    { leaseSeconds: 3600 },
  );
  await agent.automate(work, 'sleep');
  await expect.poll(read('sleeper')).toMatch(/\d/);
  const at = { id: work.queueId, workItemId: (await firstOf(work)).id as Id };
  await app.admin.cancelWorkItem({ path: at, body: { reason: 'sent twice' } });
  await expectDead(Number(read('sleeper')()));
  await expect.poll(work.statuses).toEqual({ FAILED: 1 });
  expect(await firstOf(work)).toMatchObject({ failureKind: 'BUSINESS', retryCount: 0 });
  await agent.drained();
});

test('draining an agent stops what runs when the time is up, and gives it back', async () => {
  const work = await createWork(app, 'Drained', numbered(2));
  const agent = await startDevice(
    { sleep: shell('echo $$ > drained; sleep 600') },
    { leaseSeconds: 3600, drainSeconds: 0 },
  );
  await agent.automate(work, 'sleep');
  await expect.poll(read('drained')).toMatch(/\d/);
  expect(await agent.drained()).toMatchObject({ givenBack: 1 });
  await expectDead(Number(read('drained')()));
  expect(await work.statuses()).toEqual({ NEW: 2 });
  expect(await firstOf(work)).toMatchObject({ retryCount: 0 });
});

test('a drained device takes no more work until it is resumed', async () => {
  const work = await createWork(app, 'Paused', numbered(1));
  const agent = await startDevice({ score: warm });
  const at = { path: { id: agent.id } };
  expect((await app.admin.drainDevice({ ...at, body: { reason: 'patched tonight' } })).status).toBe(200);
  await agent.automate(work, 'score');
  await expect
    .poll(() => agent.seen('deviceState'))
    .toEqual([{ type: 'deviceState', state: 'DRAINING', reason: 'patched tonight' }]);
  expect(await work.statuses()).toEqual({ NEW: 1 });
  await app.admin.resumeDevice({ ...at, body: {} });
  await expect.poll(work.statuses).toEqual({ COMPLETE: 1 });
  await agent.drained();
});

test('a quarantined device loses what it runs, and ends it', async () => {
  const work = await createWork(app, 'Quarantined', numbered(1));
  const agent = await startDevice({ sleep: shell('echo $$ > quarantined; sleep 600') }, { leaseSeconds: 3 });
  await agent.automate(work, 'sleep');
  await expect.poll(read('quarantined')).toMatch(/\d/);
  await app.admin.quarantineDevice({ path: { id: agent.id }, body: { reason: 'stolen' } });
  await expect.poll(work.statuses).toEqual({ NEW: 1 });
  await expectDead(Number(read('quarantined')()));
  await expect.poll(() => agent.seen('leaseLost')).toHaveLength(1);
  expect(await agent.drained()).toMatchObject({ lost: 1, completed: 0 });
});

test('a device that was deleted registers anew', async () => {
  const agent = await startDevice({ score: warm });
  expect((await app.admin.deleteDevice({ path: { id: agent.id } })).status).toBe(204);
  await expect.poll(() => agent.seen('registered').length).toBeGreaterThan(1);
  await agent.drained();
});

test('a device that belongs to somebody else is refused', async () => {
  const agent = await startDevice({ score: warm });
  const other = await createBotUser(app, 'other');
  const config = { device: { hostName: agent.hostName, slots: 1 }, bots: { score: warm } };
  const refused = startAgent({ url: app.url, username: other.username, apiKey: other.apiKey, config }).done;
  await expect(refused).rejects.toMatchObject({ name: 'ApiError', status: 409 });
  await agent.drained();
});

test('an agent survives a restart of the server: every item is done and reported once', async () => {
  const before = await startApp();
  const user = await createBotUser(before, 'runner');
  [app, bot] = [before, user];
  const work = await createWork(before, 'Restarted', numbered(6));
  const agent = await startDevice(
    { wait: shell('while [ ! -e go ]; do sleep 0.1; done') },
    { device: { hostName: 'survivor', slots: 3 } },
  );
  await agent.automate(work, 'wait');
  await expect.poll(work.statuses).toEqual({ IN_PROGRESS: 3, NEW: 3 });
  await before.stop();
  writeFileSync(path.join(folder, 'go'), '');
  await expect.poll(() => agent.seen('finished').length).toBe(3);
  const after = await startApp({ port: Number(new URL(before.url).port) }, before.connection);
  await expect.poll(work.statuses).toEqual({ COMPLETE: 6 });
  expect(await agent.drained()).toMatchObject({ completed: 6, refused: 0, lost: 0, unreported: 0 });
  for (const { id } of await work.items()) {
    const finished = (await work.events(id)).filter(({ operation }) => operation === 'finishWorkItems');
    expect(finished).toHaveLength(1);
  }
  await after.stop();
});
