import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommandOptions } from '@millrace/runner';
import { isAlive } from '../runner/src/bots/alive.fixture.ts';
import { startApp, type App } from '../server/src/testing/app.ts';
import { createBotUser, createWork, numbered, startCommand, type BotUser } from './work.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-agent-'));
let app: App;
let bot: BotUser;
let base: { url: string; username: string; apiKey: string; cwd: string; killGraceSeconds: number };

beforeAll(async () => {
  app = await startApp();
  bot = await createBotUser(app, 'device-1');
  base = { url: app.url, username: bot.username, apiKey: bot.apiKey, cwd: folder, killGraceSeconds: 1 };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shell = (script: string) => ['sh', '-c', script];
const read = (file: string) => () => readFileSync(path.join(folder, file), 'utf8').trim();

/** A command for each kind of item, by the text in it. */
const kinds = `
  read -r item
  case "$item" in
    *'"kind":"done"'*) echo starting; echo '{"item":'"$item"',"id":"'"$MILLRACE_ITEM_ID"'","key":"'"$MILLRACE_API_KEY$SECRET"'"}';;
    *'"kind":"quiet"'*) ;;
    *'"kind":"business"'*) echo 'no such account' >&2; exit 65;;
    *'"kind":"technical"'*) echo 'disk full' >&2; exit 2;;
    *'"kind":"babble"'*) echo done;;
    *'"kind":"endless"'*) yes;;
  esac`;

async function expectDead(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid)).toBe(false);
}

test('a command does the items: its output, exit code and stderr become their outcome', async () => {
  const names = ['done', 'quiet', 'business', 'technical', 'babble', 'endless'];
  const work = await createWork(
    app,
    'Kinds',
    names.map((kind, n) => ({ n, kind })),
  );
  const options = {
    ...base,
    queue: work.name,
    slots: 2,
    command: shell(kinds),
    env: { SECRET: 'given' },
    maxOutputBytes: 10_000,
  };
  const agent = startCommand(options);
  await expect.poll(work.statuses).toEqual({ COMPLETE: 2, FAILED: 4 });
  expect(await agent.drained()).toMatchObject({ completed: 2, failedBusiness: 1, failedSystem: 3 });
  const [done, quiet, ...failed] = await work.items();
  expect(done?.output).toMatchObject({
    item: { id: done?.id, json: { n: 0, kind: 'done' } },
    id: String(done?.id),
    key: 'given',
  });
  expect(quiet).toMatchObject({ status: 'COMPLETE' });
  expect(failed.map(({ failureKind, error }) => [failureKind, error])).toEqual([
    ['BUSINESS', 'no such account'],
    ['SYSTEM', 'Exit code 2.\ndisk full'],
    ['SYSTEM', expect.stringMatching(/no JSON object.*It ends with: done/)],
    ['SYSTEM', expect.stringMatching(/larger than the 10000 bytes/)],
  ]);
});

test('a command that takes too long is killed with all that it has started, and the item fails', async () => {
  const work = await createWork(app, 'Hanging', numbered(1));
  const command = shell('sleep 600 & echo $! > grandchild; echo working >&2; wait');
  const agent = startCommand({ ...base, queue: work.name, command, timeoutSeconds: 1 });
  await expect.poll(work.statuses).toEqual({ FAILED: 1 });
  await agent.drained();
  const [item] = await work.items();
  expect(item?.failureKind).toBe('SYSTEM');
  expect(item?.error).toMatch(/^Timed out after 1 seconds; .*\nworking$/);
  await expectDead(Number(read('grandchild')()));
});

test('when an item is taken away its command is killed', async () => {
  const work = await createWork(app, 'Taken', numbered(1));
  const agent = startCommand({
    ...base,
    queue: work.name,
    leaseSeconds: 1,
    command: shell('echo $$ > taken; sleep 600'),
  });
  await expect.poll(read('taken')).toMatch(/\d/);
  const [item] = await work.items();
  const results = [{ id: item?.id as number, version: item?.version as number, status: 'COMPLETE' as const }];
  await bot.user.call.finishWorkItems({ path: { id: work.queueId }, body: { results } });
  await expectDead(Number(read('taken')()));
  expect(await agent.drained()).toMatchObject({ lost: 1, completed: 0, failedSystem: 0, refused: 0 });
});

test('a runner whose command does not exist stops, and the items stay untried', async () => {
  const work = await createWork(app, 'Missing', numbered(2));
  const agent = startCommand({ ...base, queue: work.name, leaseSeconds: 1, command: ['./no-such-bot'] });
  await expect(agent.done).rejects.toThrow(/Cannot start "\.\/no-such-bot"/);
  await expect.poll(work.statuses).toEqual({ NEW: 2 });
});

/** Answers items line by line; those of the kind `crash` end the process past the point of no return. */
const warmBot = `
  const { readSync, writeSync } = require('node:fs');
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, json } = JSON.parse(line);
    if (json.kind === 'crash') {
      console.error('paying');
      writeSync(3, '{"pointOfNoReturn":true}\\n');
      readSync(3, Buffer.alloc(100));
      process.exit(3);
    }
    console.log(JSON.stringify({ id, status: 'COMPLETE', output: { pid: process.pid }, tags: ['warm'] }));
  });`;

test('a warm command does one item after another, and one that it crashed on past the point of no return is in doubt', async () => {
  const orders = ['plain', 'plain', 'crash', 'plain'];
  const work = await createWork(
    app,
    'Warm',
    orders.map((kind, n) => ({ n, kind })),
    3,
  );
  const command = [process.execPath, '-e', warmBot];
  const runner = startCommand({ ...base, queue: work.name, command, warm: true });
  await expect.poll(work.statuses).toEqual({ COMPLETE: 3, FAILED: 1 });
  expect(await runner.drained()).toMatchObject({ completed: 3, failedSystem: 1 });
  const [first, second, crashed, last] = await work.items();
  expect(first).toMatchObject({ tags: ['warm'] });
  expect(second?.output).toEqual(first?.output);
  expect(last?.output).not.toEqual(first?.output);
  expect(crashed).toMatchObject({ failureKind: 'IN_DOUBT', retryCount: 0 });
  const at = { id: work.queueId, workItemId: crashed?.id as number };
  expect((await app.admin.getWorkItem({ path: at })).body).toMatchObject({
    error: expect.stringContaining('Exit code 3.\npaying'),
    logTail: 'paying\n',
  });
});

test('at SIGTERM a runner ends the running item, reports it and leaves', async () => {
  const work = await createWork(app, 'Terminated', numbered(3));
  const command = shell('echo $$ > running; while [ ! -e go ]; do sleep 0.1; done; echo "{}"');
  const agent = spawnAgent({ ...base, queue: work.name, command });
  await expect.poll(read('running')).toMatch(/\d/);
  agent.child.kill('SIGTERM');
  await expect.poll(agent.output).toMatch(/"draining","running":1/);
  writeFileSync(path.join(folder, 'go'), '');
  expect(await agent.exited).toEqual([0, null]);
  expect(await work.statuses()).toEqual({ COMPLETE: 1, NEW: 2 });
});

test('a second SIGTERM stops a runner at once, and the item comes back', async () => {
  const work = await createWork(app, 'Killed', numbered(1));
  const command = shell('echo $$ > stuck; trap "" TERM; while :; do sleep 0.1; done');
  const agent = spawnAgent({ ...base, queue: work.name, command, leaseSeconds: 1, killGraceSeconds: 10 });
  await expect.poll(read('stuck')).toMatch(/\d/);
  agent.child.kill('SIGTERM');
  await expect.poll(agent.output).toMatch(/"draining"/);
  agent.child.kill('SIGTERM');
  expect(await agent.exited).toEqual([0, null]);
  await expectDead(Number(read('stuck')()));
  await expect.poll(work.items).toMatchObject([{ status: 'NEW', retryCount: 0 }]);
});

function spawnAgent(options: CommandOptions) {
  const file = path.join(import.meta.dirname, 'command.fixture.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', file, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString();
  });
  return { child, output: () => text, exited: once(child, 'close') };
}
