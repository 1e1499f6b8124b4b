/**
 * `npm run faults`: the losses and delays of callers when something fails. For each fault the real server runs on a PostgreSQL of its own
 * that writes to disk, under a steady load; then everybody's answers are checked against the record.
 */
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { onPool, openPool, type Sql } from '../../server/src/engine/db.ts';
import { endAll as endPlace } from '../../server/src/testing/endings.ts';
import { report } from '../history/check.ts';
import { crashes, endAll as endProcesses } from '../history/processes.ts';
import { asRead } from '../history/reader.ts';
import { readHistory } from '../history/reading.ts';
import type { History, ReadEvent } from '../history/record.ts';
import { faults, type Fault, type Threat } from './faults.ts';
import { createCrew, hang, startLoad, type Crew, type Load } from './load.ts';
import type { Place } from './place.ts';
import { meanwhile, secondsBack, tally, type Course } from './verdict.ts';

const help = `Usage: npm run faults                        all faults, which takes some ten minutes
       npm run faults -- --only <words>       those whose names have these words; can be given several times
       npm run faults -- --seconds <n>        how long the load runs undisturbed before each fault; 8 unless given

Faults:
${faults.map(({ name }) => `  ${name}`).join('\n')}

Ends with 1 when something acknowledged was lost or done twice, another promise was broken, a call had no answer within a
minute, or a server ended by itself.`;

/** Seconds after a fault within which everything has to go on as before; if it does not, the table says so. */
const patienceSeconds = 90;
const warmUpSeconds = 3;
const say = (line: string) => void process.stderr.write(`${line}\n`);

interface Result {
  readonly name: string;
  /** The cells of its row in the table. */
  readonly cells: readonly string[];
  /** The violations, for a person who has to find out why; empty when all is well. */
  readonly troubles: string;
}

async function main(): Promise<void> {
  const options = {
    help: { type: 'boolean' },
    only: { type: 'string', multiple: true },
    seconds: { type: 'string', default: '8' },
  } as const;
  const { values } = parseArgs({ options });
  if (values.help) return console.log(help);
  const chosen = faults.filter(({ name }) => values.only?.some((words) => name.includes(words)) ?? true);
  if (chosen.length === 0) throw new Error(`No fault has the words ${values.only?.join(' or ')}.\n\n${help}`);
  const results: Result[] = [];
  const loads: number[] = [];
  for (const [index, fault] of chosen.entries()) {
    say(`${index + 1} of ${chosen.length}: ${fault.name}`);
    try {
      results.push(await undergo(fault, Number(values.seconds)));
    } finally {
      await endPlace();
    }
    loads.push(loadavg()[0] ?? 0);
  }
  print(results, loads);
}

async function undergo(fault: Fault, seconds: number): Promise<Result> {
  const { name } = fault;
  say('  a server is started on a new database');
  const threat = await fault.open();
  if (typeof threat === 'string') return { name, cells: [`left out: ${threat}`], troubles: '' };
  const { place } = threat;
  const crew = await createCrew(place.server.url);
  const running = startLoad(crew);
  say(`  ${warmUpSeconds + seconds} s of load without any fault`);
  await sleep((warmUpSeconds + seconds) * 1000);
  const course = await strike(fault, threat, running.load, seconds);
  const back = await untilBack(course);
  say('  what is left to do is done');
  await running.drain();
  say('  everything that was answered is held against the record');
  return judge(fault, { course, back }, await historyOf(place, crew, running.load));
}

/** Returns when the fault is over. */
async function strike({ isLasting }: Fault, threat: Threat, load: Load, seconds: number): Promise<Course> {
  say('  the fault');
  const begun = performance.now();
  const struck = threat.strike();
  if (isLasting) await struck;
  return { load, baseMs: seconds * 1000, begun, over: performance.now(), struck };
}

/** Seconds until everything went on as before; none when it has not. */
async function untilBack(course: Course): Promise<number | undefined> {
  const end = course.over + patienceSeconds * 1000;
  await course.struck;
  for (let back: number | undefined; performance.now() < end; await sleep(200)) {
    back = secondsBack(course, performance.now());
    if (back !== undefined) return back;
  }
  return undefined;
}

async function historyOf({ connection }: Place, { owner, stage }: Crew, { logs }: Load): Promise<History> {
  const feed: ReadEvent[] = [];
  for (let after = '0-0', isMore = true; isMore;) {
    const page = await owner.listEvents({ query: { after, limit: 1000 } });
    feed.push(...page.list.map(asRead));
    ({ cursor: after, isMore } = page);
  }
  const pool = openPool(connection, 1);
  const reader = onPool(pool);
  const sql = (text: string, values: unknown[]) => reader.rows<object>({ text, values } as Sql);
  try {
    return await readHistory({ client: owner, sql }, { stage, logs, feed });
  } finally {
    await pool.end();
  }
}

interface Outcome {
  readonly course: Course;
  readonly back: number | undefined;
}

function judge({ name, isLasting }: Fault, { course, back }: Outcome, history: History): Result {
  const { acknowledged, errors, slowestMs } = course.load;
  const { lost, doubled } = tally(history);
  const cells = [
    `${acknowledged.create.length}, ${acknowledged.finish.length}`,
    String(lost),
    String(doubled),
    isLasting ? `${Math.round(100 * meanwhile(course))} %` : '',
    back === undefined ? `not within ${patienceSeconds}` : back.toFixed(1),
    (slowestMs / 1000).toFixed(1),
    [...errors].map(([status, count]) => `${status}: ${count}`).join(', '),
  ];
  const ends = [...crashes.values()];
  crashes.clear();
  const hangs = errors.has(hang) ? [`A call had ${hang}.`] : [];
  return { name, cells, troubles: [report(history), ...ends, ...hangs].filter(Boolean).join('\n') };
}

const columns = [
  'fault',
  'acknowledged creates, finishes',
  'lost',
  'doubled',
  'throughput meanwhile',
  's to 95 %',
  'slowest answer, s',
  'errors by status',
];

function print(results: readonly Result[], loads: readonly number[]): void {
  const rows = results.map(({ name, cells }) => [name, ...cells]);
  const lines = [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  const load = `${Math.min(...loads).toFixed(0)} to ${Math.max(...loads).toFixed(0)}`;
  console.log(
    `\nNode ${process.version}, ${process.platform}, ${availableParallelism()} cores, load average ${load}.\n`,
  );
  console.log(lines.join('\n'));
  for (const { name, troubles } of results) if (troubles) console.log(`\n${name}\n${troubles}`);
  if (results.some(({ troubles }) => troubles)) process.exitCode = 1;
}

async function leave(): Promise<void> {
  await endProcesses();
  await endPlace();
}

process.once('SIGINT', () => void leave().finally(() => process.exit(130)));
try {
  await main();
} finally {
  await leave();
}
