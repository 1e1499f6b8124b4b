/**
 * `npm run bench`: what Millrace does a second, as shares of what a bare HTTP server does in the same run on the same
 * machine. Signed in, permissions checked, events written, on disk. Absolute figures say little about other machines.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { createClient, type Client } from '@millrace/api';
import pg from 'pg';
import { startPostgres } from '../server/src/postgres/supervisor.ts';
import { start, stopAll } from './children.ts';
import { measure, type Rates } from './load.ts';
import { bare, prepareQueue, scenariosOf, type BenchQueue, type Scenario } from './scenarios.ts';

const rounds = Number(process.argv[2] ?? 3);
const password = 'a password for the bench';

interface Result {
  readonly scenario: Scenario;
  /** Shares of the bare request rate measured right before, one a round. */
  readonly requests: number[];
  readonly items: number[];
  readonly rates: Rates[];
}

async function main(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-bench-'));
  const postgres = await startPostgres({ dataFolder: folder, log: () => undefined });
  const children: ChildProcess[] = [];
  try {
    const server = await start(children, 'serve.ts', [JSON.stringify(postgres.connection), password]);
    const client = createClient({ url: server, username: 'admin', password });
    const { token } = await client.logIn({ body: { username: 'admin', password } });
    const yardstick = await start(children, 'bare.ts', [await publicKeyOf(postgres.connection)]);
    const queue = await prepareQueue(client);
    report(await compare({ server, yardstick, token }, client, queue));
  } finally {
    await stopAll(children);
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function publicKeyOf(connection: pg.ClientConfig): Promise<string> {
  const database = new pg.Client(connection);
  await database.connect();
  const { rows } = await database.query<{ public_key: string }>('select public_key from signing_keys');
  await database.end();
  return rows[0]?.public_key ?? '';
}

interface Places {
  readonly server: string;
  readonly yardstick: string;
  readonly token: string;
}

/** The yardstick before each scenario, so that a machine that slows down slows both. */
async function compare(
  { server, yardstick, token }: Places,
  client: Client,
  queue: BenchQueue,
): Promise<Result[]> {
  const results = scenariosOf(queue).map((scenario): Result => ({
    scenario,
    requests: [],
    items: [],
    rates: [],
  }));
  for (let round = 1; round <= rounds; round += 1) {
    for (const { scenario, requests, items, rates } of results) {
      process.stderr.write(`round ${round} of ${rounds}: ${scenario.name}\n`);
      const reference = await measure(yardstick, token, bare);
      await queue.fill(client, scenario.takes);
      const rate = await measure(server, token, scenario);
      requests.push(rate.requests / reference.requests);
      items.push(rate.items / reference.requests);
      rates.push(rate);
    }
  }
  return results;
}

function report(results: readonly Result[]): void {
  const { version, platform } = process;
  console.log(
    `\nShares of the bare request rate, medians of ${rounds} rounds. Node ${version}, ${platform}, ${availableParallelism()} cores.\n`,
  );
  console.table(
    Object.fromEntries(
      results.map(({ scenario, requests, items, rates }) => [
        scenario.name,
        {
          'requests / bare': median(requests).toPrecision(2),
          'items / bare': median(items).toPrecision(2),
          'requests a second': Math.round(median(rates.map((rate) => rate.requests))),
          'items a second': Math.round(median(rates.map((rate) => rate.items))),
        },
      ]),
    ),
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

await main();
