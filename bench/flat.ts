import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Sample } from './accounts.ts';
import { measureMillrace } from './compare.ts';
import { machineUnder, medianOf, type Finding, type Machine } from './findings.ts';
import { scenarios, type Scenario } from './scenarios.ts';
import type { Stage } from './stage.ts';

/** The options of `npm run bench flat`. */
export interface Depth {
  /** The number of items that wait, or are done, in the end. */
  readonly items: number;
  readonly rounds: number;
  readonly seconds: number;
  /** The time for which a transaction is held open. */
  readonly holdSeconds: number;
}

const cycles = scenarios.filter(({ kind }) => kind === 'cycle');

/**
 * Claims and finishes in a short queue, in one behind a transaction that stays open, in one with many done items, and in one with many
 * waiting items.
 */
export async function flat(
  stage: Stage,
  { items, ...depth }: Depth,
): Promise<{ machine: Machine; findings: Finding[] }> {
  const machine = machineUnder();
  const fresh = await measure(stage, depth);
  const held = await behindHeld(stage, depth);
  await deepen(stage, 'COMPLETE', items);
  const old = await measure(stage, depth);
  await deepen(stage, 'NEW', items);
  const deep = await measure(stage, depth);
  const many = items.toLocaleString('en');
  return {
    machine,
    findings: cycles.flatMap(({ name }, index) => [
      compared(
        `${name}, behind a transaction held open for ${depth.holdSeconds} s`,
        fresh[index],
        held[index],
        0.9,
      ),
      compared(`${name}, ${many} items done before`, fresh[index], old[index], 0.8),
      compared(`${name}, ${many} items waiting`, fresh[index], deep[index], 0.8),
    ]),
  };
}

/** The samples of all rounds, by scenario. */
async function measure(
  stage: Stage,
  { rounds, seconds }: Omit<Depth, 'items'>,
  scenariosOfRound: readonly Scenario[] = cycles,
): Promise<Sample[][]> {
  const samples: Sample[][] = scenariosOfRound.map(() => []);
  for (let round = 0; round < rounds; round += 1)
    for (const [index, scenario] of scenariosOfRound.entries())
      samples[index]?.push(await measureMillrace(stage, scenario, seconds, false));
  return samples;
}

/** The samples from the end of the time that a transaction was held open, under load all the while. */
async function behindHeld(stage: Stage, depth: Omit<Depth, 'items'>): Promise<Sample[][]> {
  const holder = new pg.Client(stage.connection);
  await holder.connect();
  await holder.query(
    'set idle_in_transaction_session_timeout = 0; begin isolation level repeatable read; select pg_current_xact_id(); select count(*) from queues',
  );
  try {
    const end = performance.now() + depth.holdSeconds * 1000;
    while (performance.now() < end) {
      await measure(stage, { ...depth, rounds: 1 });
      await pause(100);
    }
    return await measure(stage, depth);
  } finally {
    await holder.end();
  }
}

function compared(
  what: string,
  before: readonly Sample[] = [],
  after: readonly Sample[] = [],
  least: number,
): Finding {
  const rate = (samples: readonly Sample[]) => medianOf(samples.map(({ itemsPerSecond }) => itemsPerSecond));
  const p99 = (samples: readonly Sample[]) => medianOf(samples.map((sample) => sample.p99 ?? Number.NaN));
  const share = rate(after) / rate(before);
  const shown = (samples: readonly Sample[]) =>
    `${Math.round(rate(samples)).toLocaleString('en')} items a second, p99 ${p99(samples)} ms`;
  return {
    what,
    found: `${share.toFixed(2)} of the items, p99 times ${(p99(after) / p99(before)).toFixed(2)}: ${shown(before)} → ${shown(after)}`,
    goal: least === 0.9 ? 'at least 0.9' : 'items at least 0.8 (1 / 1.25), p99 at most times 1.25',
  };
}

const portion = 250_000;

/** Adds items to the queue past the server, with their data, events and counters. */
async function deepen(
  { database, queueId }: Stage,
  status: 'NEW' | 'COMPLETE',
  items: number,
): Promise<void> {
  for (let left = items; left > 0; left -= portion) {
    process.stderr.write(`${left.toLocaleString('en')} items left to be written as ${status}\n`);
    await database.query(statement, [queueId, Math.min(portion, left), status]);
  }
  await database.query('vacuum analyze');
  // The load that follows must not pay for what was written here.
  await database.query('checkpoint');
}

// The key is that of an item of the usual priority which arrives now: items created by the load come after it.
const statement = `
  with place as materialized (
    select nextval('work_items_id_seq') as id, place, now() as at from generate_series(1, $2::int) place),
  item as (
    insert into work_items (queue_id, id, status, sort_key, priority, result, ended_on, created_by, created_on, updated_by, updated_on,
      model_version) overriding system value
    select $1::bigint, id, $3, '\\x05'::bytea || int8send((extract(epoch from at) * 1000)::bigint), 4,
      case $3 when 'COMPLETE' then 'SUCCESS' end, case $3 when 'COMPLETE' then at end, 1, at, 1, at, 0 from place),
  event as (
    insert into events (queue_id, item_id, operation, actor_id, from_status, to_status, at, tenant_id)
    select $1::bigint, p.id, e.operation, 1, e.f, e.t, p.at, q.tenant_id
    from place p cross join (values ('createWorkItems', null, 'NEW'), ('claimWorkItems', 'NEW', 'IN_PROGRESS'),
      ('finishWorkItems', 'IN_PROGRESS', 'COMPLETE')) e (operation, f, t) cross join (select tenant_id from queues where id = $1::bigint) q
    where $3 = 'COMPLETE' or e.f is null),
  tally as (
    insert into queue_tallies (queue_id, minute, new, in_progress, complete, failed, deferred, finished_complete, finished_failed, handling_ms)
    values ($1::bigint, '-infinity', case $3 when 'NEW' then $2::int else 0 end, 0, case $3 when 'COMPLETE' then $2::int else 0 end, 0, 0, 0, 0, 0))
  insert into work_item_data (queue_id, item_id, json)
  select $1::bigint, id, json_build_object('number', place, 'customer', 'Freight Ltd. ' || place % 9973, 'amount', place % 100, 'urgent', false)
  from place`;
