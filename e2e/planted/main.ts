/**
 * `npm run planted`: whether the tests see the bugs that they are meant to. Each bug of `bugs.ts` is planted in a copy of the repository,
 * and the test named beside it has to fail there by an assertion.
 */
import { parseArgs } from 'node:util';
import { bugs, patchOf, type Bug } from './bugs.ts';
import { closePlace, copyRepository, openPlace, withBug, type Place } from './copy.ts';
import { runTests, type Outcome } from './run.ts';

const help = `Usage: npm run planted                       plant each bug, and run the test that has to see it
       npm run planted -- --only <name>...   these bugs alone: repeat --only for each
Bugs: ${bugs.map(({ name }) => name).join(', ')}.`;

interface Result extends Outcome {
  readonly bug: Bug;
  readonly isSeen: boolean;
  readonly seconds: number;
}

const say = (line: string) => void process.stderr.write(`${line}\n`);

function chosen(names: readonly string[]): readonly Bug[] {
  const unknown = names.find((name) => !bugs.some((bug) => bug.name === name));
  if (unknown !== undefined)
    throw new Error(`There is no bug ${unknown}. \`npm run planted -- --help\` lists them all.`);
  return names.length === 0 ? bugs : bugs.filter(({ name }) => names.includes(name));
}

/** @throws Error where a test does not pass without bugs: then its failure with a bug would prove nothing. */
async function runWithoutBugs(place: Place, list: readonly Bug[], signal: AbortSignal): Promise<void> {
  say('The tests without any bug ...');
  const outcomes = await runTests(place, list, signal);
  const failures = outcomes.flatMap(({ state, why }, index) =>
    state === 'passed' ? [] : [`${list[index]?.file}: ${list[index]?.title}\n  ${state}: ${why}`],
  );
  if (failures.length > 0) throw new Error(`Without any bug, these do not pass:\n${failures.join('\n')}`);
}

async function plant(place: Place, bug: Bug, signal: AbortSignal): Promise<Result> {
  const begun = performance.now();
  const [outcome] = await withBug(place, patchOf(bug), () => runTests(place, [bug], signal));
  if (!outcome) throw new Error('a run without an outcome');
  const seconds = (performance.now() - begun) / 1000;
  return { bug, ...outcome, isSeen: outcome.state === 'failed by an assertion', seconds };
}

async function plantAll(list: readonly Bug[], signal: AbortSignal): Promise<Result[]> {
  const place = openPlace();
  try {
    say(`Copying the repository to ${place.copy} ...`);
    copyRepository(place);
    await runWithoutBugs(place, list, signal);
    const results: Result[] = [];
    for (const [index, bug] of list.entries()) {
      say(`${index + 1} of ${list.length}, ${bug.name}: ${bug.breaks}`);
      const result = await plant(place, bug, signal);
      results.push(result);
      say(`  ${result.isSeen ? 'seen' : `NOT SEEN, the test ${result.state}`}`);
    }
    return results;
  } finally {
    closePlace(place);
  }
}

function report(results: readonly Result[]): string {
  const rows = [
    ['bug', 'test', 'seen', 'seconds'],
    ...results.map(({ bug, isSeen, seconds }) => {
      return [bug.name, `${bug.file}: ${bug.title}`, isSeen ? 'yes' : 'NO', seconds.toFixed(1)];
    }),
  ];
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(width(column)))
      .join('  ')
      .trimEnd(),
  );
  const unseen = results.filter(({ isSeen }) => !isSeen);
  const reasons = unseen.map(({ bug, state, why }) => `\n${bug.name}: the test ${state}. ${why}`);
  return [...lines, ...reasons, `\n${results.length - unseen.length} of ${results.length}`].join('\n');
}

const options = {
  only: { type: 'string', multiple: true, default: [] as string[] },
  help: { type: 'boolean', default: false },
} as const;

async function main(signal: AbortSignal): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(help);
  const results = await plantAll(chosen(values.only), signal);
  console.log(report(results));
  if (results.some(({ isSeen }) => !isSeen)) process.exitCode = 1;
}

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());
main(stopping.signal).catch((error: unknown) => {
  const { isAborted, message } = { isAborted: stopping.signal.aborted, message: (error as Error).message };
  say(isAborted ? 'Stopped; the copy is removed.' : message);
  process.exitCode = isAborted ? 130 : 1;
});
