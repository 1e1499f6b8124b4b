import { readdirSync } from 'node:fs';
import { test } from 'vitest';
import { isAlive } from '../runner/src/bots/alive.fixture.ts';
import { play } from '../demo/src/play.ts';
import { tellDistribution } from '../demo/src/stories/distribution/story.ts';
import { createLiveLine } from '../cli/src/live-line.ts';
import { spawnMillrace, spawnScript, spawnServer } from '../cli/src/own-process.ts';
import { createWrittenTerminal } from '../cli/src/terminal.fixture.ts';
import { descendantsOf } from './history/processes.ts';
import { createHome, startMillrace } from './millrace.ts';

interface Outcome {
  readonly queues: readonly {
    readonly name: string;
    readonly items: number;
    readonly done: number;
    readonly failed: Readonly<Record<string, number>>;
  }[];
  readonly devices: readonly { readonly name: string; readonly items: number }[];
  readonly settled: readonly object[];
}

test.concurrent(
  'the story of distribution ends with every item done or failed once, and has said why things did not run',
  async ({ expect }) => {
    const { terminal, out, said } = createWrittenTerminal();
    const host = { terminal, liveLine: createLiveLine(terminal), spawnServer, spawnMillrace, spawnScript };
    const size = { items: 0.5, work: 0.5, reading: 0 };
    expect(await play((stage) => tellDistribution(stage, size), host, { json: true })).toBe(true);
    expect(out).toHaveLength(1);
    const outcome = JSON.parse(out[0] ?? '') as Outcome;
    expect(outcome).toMatchObject({ lost: [], doneTwice: [], sentWrongly: [] });
    expect(outcome.queues.map(({ name, items }) => [name, items])).toEqual([
      ['Invoices', 57],
      ['Refunds', 38],
      ['Addresses', 19],
      ['Payments', 6],
    ]);
    for (const { items, done, failed } of outcome.queues)
      expect(done + Object.values(failed).reduce((sum, count) => sum + count, 0)).toBe(items);
    expect(outcome.devices).toHaveLength(8);
    expect(outcome.settled).toContainEqual(
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
  },
);

test.concurrent(
  'a story that is interrupted stops all that it has started, and leaves nothing behind',
  async ({ expect }) => {
    const home = createHome();
    const {
      process: demo,
      said,
      ended,
    } = startMillrace(home, ['demo', '--story', 'distribution'], {
      TMPDIR: home,
    });
    await expect.poll(said).toContain('items for Payments');
    const started = descendantsOf(demo.pid ?? 0);
    // At least the server, its database, and eight agents.
    expect(started.length).toBeGreaterThanOrEqual(10);
    demo.kill('SIGINT');
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([130, expect.stringContaining('Stopping what was started')]);
    expect(started.filter(isAlive)).toEqual([]);
    expect(readdirSync(home).filter((name) => name.startsWith('millrace-demo-'))).toEqual([]);
  },
);
