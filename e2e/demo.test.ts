import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { isAlive } from '../runner/src/bots/alive.fixture.ts';
import { play } from '../cli/src/demo/play.ts';
import { tellDistribution } from '../cli/src/demo/stories/distribution/story.ts';
import { createWrittenTerminal } from '../cli/src/terminal.fixture.ts';
import { createHome, startMillrace } from './millrace.ts';

// A server and eight agents, each a process of its own, which take seconds to start on a busy machine.
vi.setConfig({ testTimeout: 240_000 });

interface Told {
  readonly queues: readonly {
    readonly name: string;
    readonly items: number;
    readonly done: number;
    readonly failed: Readonly<Record<string, number>>;
  }[];
  readonly devices: readonly { readonly name: string; readonly items: number }[];
  readonly settled: readonly object[];
}

test('the story of distribution ends with every item done or failed once, and has said why things did not run', async () => {
  const { terminal, out, said } = createWrittenTerminal();
  const size = { items: 0.5, work: 0.5, reading: 0 };
  await play((stage) => tellDistribution(stage, size), terminal, { json: true });
  expect(out).toHaveLength(1);
  const told = JSON.parse(out[0] ?? '') as Told;
  expect(told).toMatchObject({ lost: [], doneTwice: [], sentWrongly: [] });
  expect(told.queues.map(({ name, items }) => [name, items])).toEqual([
    ['Invoices', 57],
    ['Refunds', 38],
    ['Addresses', 19],
    ['Payments', 6],
  ]);
  for (const { items, done, failed } of told.queues)
    expect(done + Object.values(failed).reduce((sum, count) => sum + count, 0)).toBe(items);
  expect(told.devices).toHaveLength(8);
  expect(told.settled).toContainEqual(
    expect.objectContaining({
      queue: 'Payments',
      device: expect.stringMatching(/^bank-/) as string,
      became: 'COMPLETE',
    }),
  );
  const text = said.join('\n').replaceAll(/\s+/g, ' ');
  for (const sentence of [
    'quarantined: It books amounts twice',
    'items are to start before this one',
    'by anna: The customer is asked first',
    'by anna: The form has changed',
    'No connected device of the pool "Bank" that takes work has the label "signing-key"',
    '4 more items must come before it starts again',
    'passed the point of no return at',
    'Anna looks the payment up at the bank, and answers DONE',
  ])
    expect(text).toContain(sentence);
});

test('a story that is interrupted stops all that it has started, and leaves nothing behind', async () => {
  const home = createHome();
  const {
    process: demo,
    said,
    ended,
  } = startMillrace(home, ['demo', '--story', 'distribution'], {
    TMPDIR: home,
  });
  await expect.poll(said, { timeout: 120_000 }).toContain('items for Payments');
  const started = descendantsOf(demo.pid ?? 0);
  // At the least the server, its database, and eight agents.
  expect(started.length).toBeGreaterThanOrEqual(10);
  demo.kill('SIGINT');
  const { code, stderr } = await ended;
  expect([code, stderr]).toEqual([130, expect.stringContaining('Stopping what was started')]);
  expect(started.filter(isAlive)).toEqual([]);
  expect(readdirSync(home).filter((name) => name.startsWith('millrace-demo-'))).toEqual([]);
});

/** The processes that a process has started, and those that they have started. */
function descendantsOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-axo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const parents = lines.map((line) => line.trim().split(/\s+/).map(Number));
  const found = [pid];
  for (const parent of found)
    found.push(...parents.filter(([, known]) => known === parent).map(([child = 0]) => child));
  return found.slice(1);
}
