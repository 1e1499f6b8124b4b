/**
 * `npm run bench`: Millrace's speed and cost, compared with a bare HTTP server, with COPY and with other queues, in the same run on the
 * same machine. Signed in, permissions checked, events written, on disk. Figures of one run can be compared with each other; those of other
 * machines say little.
 */
import { parseArgs } from 'node:util';
import { compare } from './compare.ts';
import { watchConsole } from './console.ts';
import { keep, keepFindings } from './findings.ts';
import { flat } from './flat.ts';
import { intake } from './intake.ts';
import { many } from './many.ts';
import { writePage } from './performance.ts';
import { judge } from './quick.ts';
import { describe, tablesOf } from './report.ts';
import { soak } from './soak.ts';
import { withStage, type Stage } from './stage.ts';

const help = `Usage: npm run bench -- [options]
       npm run bench console      A queue of a million items in a browser, and the overview under load; --live <time>, 60m when left out
       npm run bench intake       Files beside COPY and the bare parse of a workbook; --rows <n>, 500000 when left out
       npm run bench flat         The same loads with much that waits or is done, and behind a transaction held open;
                                  --items <n>, 10000000 when left out, --hold <seconds>, 600 when left out
       npm run bench many         Calls that wait, many queues, and how soon what comes is claimed;
                                  --polls <n>, 2000 when left out, --queues <n>, 200 when left out
       npm run bench performance  Writes docs/performance.md of the newest results of each kind

  --rounds <n>     Rounds, by turns; 3 when left out
  --seconds <n>    Seconds that each load runs; 5 when left out
  --only <text>    Scenarios whose name has this
  --processes <n>  Processes of the server; 1 when left out
  --no-peers       Without the other queues, which are installed in a temporary folder
  --quick          Three minutes: compares the most important figures with those in bench/committed.json,
                   and fails where one has dropped by more than a third
  --soak <time>    Runs a steady load for this long (30m, 90s): watches memory, latency and the promises
  --help           This

Raw figures of each run are written to bench/results/.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    items: { type: 'string', default: '10000000' },
    hold: { type: 'string', default: '600' },
    polls: { type: 'string', default: '2000' },
    queues: { type: 'string', default: '200' },
    rows: { type: 'string', default: '500000' },
    live: { type: 'string', default: '60m' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    processes: { type: 'string', default: '1' },
    'no-peers': { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    soak: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

type NumberName = 'items' | 'hold' | 'polls' | 'queues' | 'rows' | 'rounds' | 'seconds' | 'processes';

/** The number of an option. @throws Error where it is none: a load of no size would measure nothing, and say so nowhere */
function numberOf(name: NumberName): number {
  const text = values[name] ?? '1';
  if (!/^\d+$/.test(text)) throw new Error(`--${name} is a whole number, such as 10000000; ${text} is none.`);
  return Number(text);
}

const wanted = { rounds: numberOf('rounds'), seconds: numberOf('seconds') };

const measures: Record<string, () => Promise<void>> = {
  intake: () => withStage((stage) => intake(stage, numberOf('rows'))),
  console: () => withStage((stage) => watchConsole(stage, values.live)),
  performance: writePage,
  flat: () => {
    const depth = { ...wanted, items: numberOf('items'), holdSeconds: numberOf('hold') };
    return onStage(async (stage) => {
      const { machine, findings } = await flat(stage, depth);
      await keepFindings('flat', stage, machine, findings);
    });
  },
  many: () => {
    const crowd = { ...wanted, polls: numberOf('polls'), queues: numberOf('queues') };
    return onStage(async (stage) => {
      const { machine, findings } = await many(stage, crowd);
      await keepFindings('many', stage, machine, findings);
    });
  },
};

const onStage = (work: (stage: Stage) => Promise<void>) => withStage(work, values.processes);

async function measureLoads(): Promise<void> {
  const { only, 'no-peers': noPeers } = values;
  const run = await withStage(
    (stage) => compare(stage, { ...wanted, only, hasPeers: !noPeers }),
    values.processes,
  );
  console.log(`\n${describe(run)}\n\n${tablesOf(run)}`);
  await keep('loads', run);
}

const [kind] = positionals;
if (values.help) console.log(help);
else if (kind !== undefined) {
  const measure = measures[kind];
  if (!measure) throw new Error(`There is no ${kind}. npm run bench -- --help says what there is.`);
  await measure();
} else if (values.quick) process.exitCode = (await withStage(judge)) ? 0 : 1;
else if (values.soak !== undefined) {
  const { soak: time } = values;
  process.exitCode = (await withStage((stage) => soak(stage, time), values.processes)) ? 0 : 1;
} else await measureLoads();
