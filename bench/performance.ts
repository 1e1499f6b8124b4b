import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Run } from './compare.ts';
import { results, type Findings } from './findings.ts';
import { describe, tablesOf } from './report.ts';

const page = path.join(import.meta.dirname, '../docs/performance.md');

/** Writes docs/performance.md from the newest results of each kind. @throws Error when there are none of loads. */
export async function writePage(): Promise<void> {
  const run = await newest<Run>('loads');
  if (!run) throw new Error('There are no results of loads: run `npm run bench` first.');
  const kinds = ['flat', 'many', 'soak'] as const;
  const found = await Promise.all(kinds.map((kind) => newest<Findings>(kind)));
  const sections = found.flatMap((one) => (one ? [sectionOf(one)] : []));
  const text = [intro, '## Loads, beside others', describe(run), tablesOf(run), ...sections, again].join(
    '\n\n',
  );
  await writeFile(page, `${text}\n`);
  console.log(`Written: ${path.relative(process.cwd(), page)}`);
}

/** The newest results of a kind; file names end with the time of writing. */
async function newest<Kind>(kind: string): Promise<Kind | undefined> {
  const names = await readdir(results).catch(() => []);
  const last = names
    .filter((name) => name.startsWith(`${kind}-`))
    .toSorted()
    .at(-1);
  return last === undefined
    ? undefined
    : (JSON.parse(await readFile(path.join(results, last), 'utf8')) as Kind);
}

const titles = {
  flat: 'Does it get slower with what it holds?',
  many: 'Many that wait, and many queues',
  soak: 'Does it get slower with time?',
};

function sectionOf({ kind, on, machine, findings }: Findings): string {
  const rows = findings.map(({ what, found, goal = '' }) => `| ${what} | ${found} | ${goal} |`);
  const where = `${on.slice(0, 10)}, ${machine.cores} cores (${machine.model}), Node ${machine.node}, load before ${machine.load[0]?.toFixed(1)}.`;
  return [
    `## ${titles[kind]}`,
    where,
    ['| | found | goal |', '| --- | --- | --- |', ...rows].join('\n'),
  ].join('\n\n');
}

const intro = `# Performance

Written by \`npm run bench performance\` from what was measured last; do not edit. Figures of one run can be compared with each other, those of other machines say
little. Server, database and load share the machine. Everybody is signed in, permissions are read and events written in the same transaction, and nothing is answered before it is on
disk. The yardstick is a bare HTTP server that verifies the same token and answers.`;

const again = `## Measure it yourself

    npm run bench                       # loads beside a bare server, COPY and other queues
    npm run bench flat                  # much that waits, much that is done, a transaction held open
    npm run bench many                  # calls that wait, many queues, from a create to its claim
    npm run bench -- --soak 30m         # memory, latency and promises over time
    npm run bench performance           # this page

\`npm run bench -- --help\` has the options. What the figures of single decisions rest on is in [decisions](decisions/), above all
[0018](decisions/0018-writes.md), [0014](decisions/0014-reads-at-scale.md) and [0028](decisions/0028-parts-of-texts-and-dearer-writes.md); what was aimed at, and what stands in the way, is in
[0030](decisions/0030-goals-of-speed.md).`;
