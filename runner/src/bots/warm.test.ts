import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { BusinessError, Cancelled, Defer, GiveBack, RunnerFault } from '../errors.ts';
import type { WorkItem } from '../item.ts';
import { isAlive } from './alive.fixture.ts';
import { createBot, type Bot, type BotSettings } from './bot.ts';
import { hands } from './hands.fixture.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-warm-'));
const bots = new Set<Bot>();
afterEach(async () => {
  await Promise.all([...bots].map(({ end }) => end()));
  bots.clear();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function expectDead(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid)).toBe(false);
}

/** Answers each item by a script, in which `answer(...)` answers and `item` is the item. */
function warmBot(script: string, more: Partial<BotSettings> = {}) {
  const program = `
    const { writeSync } = require('node:fs');
    const answer = (one) => writeSync(1, JSON.stringify({ pid: undefined, ...one }) + '\\n');
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const item = JSON.parse(line);
      const done = (output) => answer({ id: item.id, status: 'COMPLETE', output });
      ${script}
    });`;
  const notes: string[] = [];
  const settings = {
    command: [process.execPath, '-e', program],
    cwd: folder,
    warm: true,
    killGraceSeconds: 0.2,
  };
  const bot = createBot({ ...settings, ...more }, 1000, (text) => void notes.push(text));
  bots.add(bot);
  return { ...bot, notes };
}

const item = (id: number, json = {}): WorkItem => ({ id, queueId: 1, version: 1, json });
const tellsPid = 'done({ pid: process.pid });';

async function pidOf(bot: Bot, one: WorkItem): Promise<unknown> {
  return ((await bot.handle(one, hands())) as { pid: number }).pid;
}

test('a process does one item after another', async () => {
  const bot = warmBot('done({ double: item.json.n * 2, pid: process.pid });');
  const first = await bot.handle(item(1, { n: 1 }), hands());
  const second = await bot.handle(item(2, { n: 2 }), hands());
  expect([first, second]).toMatchObject([{ double: 2 }, { double: 4 }]);
  expect(second).toMatchObject({ pid: (first as { pid: number }).pid });
});

test('items at the same time have a process each', async () => {
  const bot = warmBot(tellsPid);
  const pids = await Promise.all([1, 2, 3].map((id) => pidOf(bot, item(id))));
  expect(new Set(pids).size).toBe(3);
  expect(pids).toContain(await pidOf(bot, item(4)));
});

test.each([
  [
    'fails on business grounds',
    { status: 'FAILED', failureKind: 'BUSINESS', error: 'no account' },
    BusinessError,
  ],
  ['is put aside', { status: 'DEFERRED', deferredUntil: '2030-01-02T03:04:05Z', reason: 'closed' }, Defer],
  ['is given back', { status: 'NEW', reason: 'no licence' }, GiveBack],
  ['fails on technical grounds', { status: 'FAILED', error: 'disk full' }, Error],
])('an item %s as its answer says', async (_, answer: { error?: string; reason?: string }, kind) => {
  const bot = warmBot(`answer({ id: item.id, ...${JSON.stringify(answer)} });`);
  await expect(bot.handle(item(1), hands())).rejects.toBeInstanceOf(kind);
  await expect(bot.handle(item(2), hands())).rejects.toThrow(answer.error ?? answer.reason ?? '');
});

test('tags and result text of an answer go with the report', async () => {
  const bot = warmBot(`answer({ id: item.id, status: 'COMPLETE', tags: ['big'], resultText: 'Booked' });`);
  const tools = hands();
  expect(await bot.handle(item(1), tools)).toBeUndefined();
  expect(tools.told).toEqual([{ tags: ['big'] }, { resultText: 'Booked' }]);
});

test('what is written to stderr before the answer is the log of the item', async () => {
  const bot = warmBot(`writeSync(2, 'scoring ' + item.id + '\\n'); ${tellsPid}`);
  const [one, other] = [hands(), hands()];
  await bot.handle(item(1), one);
  await bot.handle(item(2), other);
  expect([one.lines, other.lines]).toEqual([['scoring 1'], ['scoring 2']]);
});

test('a process tells progress and its point of no return on the control pipe, and waits for the answer', async () => {
  const script = `
    writeSync(3, '{"progress":{"percent":10}}\\n{"pointOfNoReturn":true}\\n');
    const reply = Buffer.alloc(100);
    done({ reply: reply.toString('utf8', 0, require('node:fs').readSync(3, reply)) });`;
  const bot = warmBot(script);
  for (const id of [1, 2]) {
    const tools = hands();
    const output = await bot.handle(item(id), tools);
    expect(output).toEqual({ reply: '{"pointOfNoReturn":true}\n' });
    expect(tools.told).toEqual([{ percent: 10, text: undefined }, 'point of no return']);
  }
});

const isOdd = 'item.json.odd';

test.each([
  ['crashes', `console.error('disk full'); process.exit(3);`, /Exit code 3\.\ndisk full/],
  ['is killed', `process.kill(process.pid, 'SIGKILL');`, /Ended by SIGKILL/],
  ['answers another item', `answer({ id: 99, status: 'COMPLETE' });`, /was to answer item 1.*"id":99/],
  ['writes no JSON', `console.log('hello');`, /was to answer item 1.*hello/],
  ['answers too much', `console.log('x'.repeat(200_000));`, /longer than maxOutputBytes \(1000\)/],
  ['asks for what is unknown', `writeSync(3, '{"progess":1}\\n');`, /progess is not a known member/],
])(
  'when a process %s only its item fails, and the next one has a new process',
  async (_, script, message) => {
    const bot = warmBot(`if (${isOdd}) { ${script} } else ${tellsPid}`);
    const before = await pidOf(bot, item(0));
    await expect(bot.handle(item(1, { odd: true }), hands())).rejects.toThrow(message);
    expect(await pidOf(bot, item(2))).not.toBe(before);
  },
);

test('an item that takes too long fails, its process is ended, and the next one has a new process', async () => {
  const bot = warmBot(`if (${isOdd}) console.error('hanging'); else ${tellsPid}`, { timeoutSeconds: 2 });
  const before = Number(await pidOf(bot, item(0)));
  const late = bot.handle(item(1, { odd: true }), hands());
  await expect(late).rejects.toThrow(/^Timed out after 2 seconds.*\nhanging$/);
  expect(isAlive(before)).toBe(false);
  expect(await pidOf(bot, item(2))).not.toBe(before);
});

test('an answer with a member that is unknown fails the item by name, and the process goes on', async () => {
  const bot = warmBot(
    `if (${isOdd}) answer({ id: item.id, status: 'COMPLETE', outptu: {} }); else ${tellsPid}`,
  );
  const before = await pidOf(bot, item(0));
  await expect(bot.handle(item(1, { odd: true }), hands())).rejects.toThrow('outptu is not a known member');
  expect(await pidOf(bot, item(2))).toBe(before);
});

test('when an item is cancelled its process is killed, and nothing of it is left', async () => {
  const bot = warmBot(`process.on('SIGTERM', () => {}); console.error('pid ' + process.pid);`);
  const controller = new AbortController();
  const tools = hands(controller.signal);
  const handling = bot.handle(item(1), tools);
  await expect.poll(() => tools.lines).toHaveLength(1);
  controller.abort(new Cancelled('Cancelled by ana.'));
  await expect(handling).rejects.toThrow('Cancelled by ana.');
  expect(isAlive(Number(tools.lines[0]?.slice(4)))).toBe(false);
});

test('a process that speaks while it has no item is ended, and says so', async () => {
  const bot = warmBot(`${tellsPid} setTimeout(() => console.log('by the way'), 50);`);
  const before = await pidOf(bot, item(1));
  await expect.poll(() => bot.notes).toEqual([expect.stringMatching(/no item.*by the way/)]);
  expect(await pidOf(bot, item(2))).not.toBe(before);
});

test('a process does no more than maxItems', async () => {
  const bot = warmBot(tellsPid, { warm: { maxItems: 2 } });
  const pids = [await pidOf(bot, item(1)), await pidOf(bot, item(2)), await pidOf(bot, item(3))];
  expect(pids[1]).toBe(pids[0]);
  expect(pids[2]).not.toBe(pids[0]);
});

test('a process without items for idleSeconds is let go', async () => {
  const bot = warmBot(tellsPid, { warm: { idleSeconds: 0.01 } });
  const pid = Number(await pidOf(bot, item(1)));
  await expectDead(pid);
});

test('ending a bot ends its processes', async () => {
  const bot = warmBot(tellsPid);
  const pid = Number(await pidOf(bot, item(1)));
  await bot.end();
  expect(isAlive(pid)).toBe(false);
});

test('a program that is missing is a fault of the runner, not of the item', async () => {
  const bot = warmBot('', { command: ['./no-such-program'] });
  await expect(bot.handle(item(1), hands())).rejects.toThrow(RunnerFault);
});

test.each([
  ['maxItems', { warm: { maxItems: 0 } }],
  ['idleSeconds', { warm: { idleSeconds: -1 } }],
  ['businessExitCode', { businessExitCode: 0 }],
  ['timeoutSeconds', { timeoutSeconds: 0 }],
  ['command', { command: [] }],
])('a bad %s is refused by name', (name, bad) => {
  expect(() => warmBot('', bad)).toThrow(new RegExp(`^${name} `));
});

test('a process that closes its stdin before it answers is done, and the next item gets a new one', async () => {
  const bot = warmBot(`require('node:fs').closeSync(0); setInterval(() => undefined, 1000); ${tellsPid}`);
  const first = await pidOf(bot, item(1));
  const second = await pidOf(bot, item(2));
  expect(second).not.toBe(first);
  await expectDead(Number(first));
});

test('a process that never reads fails its item, and is ended', async () => {
  const script = 'exec 0<&-; echo "no licence" >&2; echo ready >&2; exec sleep 600';
  const bot = createBot(
    { command: ['/bin/sh', '-c', script], cwd: folder, warm: true, killGraceSeconds: 0.2 },
    1000,
    () => undefined,
  );
  bots.add(bot);
  const large = item(1, { text: 'x'.repeat(1_000_000) });
  await expect(bot.handle(large, hands())).rejects.toThrow(
    /It closed its stdin before it had read the item\..*no licence/s,
  );
});
