/**
 * Shows the length of the path through the server's code for each operation of the contract: everything that a reader opens who begins at
 * its function and follows every reference, depth first. `walk/walk.ts` has the definition of walk and figures.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { exportsOf } from './walk/exports.ts';
import { operationsOf } from './walk/operations.ts';
import { openSource, type Source } from './walk/source.ts';
import { figuresOf, isReturn, returnsByDomain, walkFrom, type Figures, type Visit } from './walk/walk.ts';

const help = `Usage: npm run walk                         a table of all operations, widest first
       npm run walk <operationId>...        the walk itself: functions in the order read, where the reader comes back, and how often to what
       npm run walk -- --exports            how many exports of the server are used by exactly one other file
       npm run walk -- --exports --list     those exports, each with its user
Add \`-- --json\` for programs.`;

interface Walk extends Figures {
  readonly operation: string;
  readonly visits: readonly Visit[];
  readonly returnsByDomain: Readonly<Record<string, number>>;
}

function walksOf(source: Source, names: readonly string[]): Walk[] {
  const starts = operationsOf(source);
  const unknown = names.find((name) => !starts.has(name));
  if (unknown !== undefined)
    throw new Error(`There is no operation ${unknown}. \`npm run walk\` lists them all.`);
  const asked = [...starts].filter(([name]) => names.length === 0 || names.includes(name));
  return asked.map(([operation, start]) => {
    const visits = walkFrom(source, start);
    const returns = Object.fromEntries(returnsByDomain(visits));
    return { operation, ...figuresOf(visits), returnsByDomain: returns, visits };
  });
}

function table(walks: readonly Walk[]): string {
  const widestFirst = walks.toSorted(
    (one, other) => other.files - one.files || other.functions - one.functions,
  );
  const rows = [
    ['operation', 'files (own domain)', 'domains', 'functions', 'returns'],
    ...widestFirst.map(({ operation, files, ownFiles, domains, functions, returns }) => {
      return [operation, `${files} (${ownFiles})`, `${domains}`, `${functions}`, `${returns}`];
    }),
  ];
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const aligned = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(width(column)) : cell.padStart(width(column));
  return rows.map((row) => row.map(aligned).join('  ')).join('\n');
}

function drawing({ operation, visits, returnsByDomain: returns }: Walk): string {
  const shown = visits.flatMap((visit, index) => {
    const { name, domain, file, line, depth, isBack } = visit;
    const mark = isReturn(visits, index) ? `   < returns to ${domain}` : '';
    if (isBack && !mark) return [];
    const text = isBack ? `... ${name}` : `${name}  ${file}:${line}`;
    return [`${'  '.repeat(depth)}${text}${mark}`];
  });
  const home = visits[0]?.domain;
  const counts = Object.entries(returns).map(
    ([domain, count]) => `${domain} ${count}${domain === home ? ' (home)' : ''}`,
  );
  return [...shown, '', `${operation} returns to: ${counts.join(', ') || 'nothing'}`].join('\n');
}

function showWalks(source: Source, names: readonly string[], asJson: boolean): string {
  const walks = walksOf(source, names);
  const withVisits = names.length > 0;
  if (!asJson) return [...(withVisits ? walks.map(drawing) : []), table(walks)].join('\n\n');
  return JSON.stringify(withVisits ? walks : walks.map(({ visits: _, ...figures }) => figures));
}

function showExports(source: Source, withList: boolean, asJson: boolean): string {
  const all = exportsOf(source);
  const single = all.filter(({ users }) => users.length === 1);
  if (asJson)
    return JSON.stringify({ total: all.length, usedByOne: single.length, ...(withList && { list: single }) });
  const list = withList
    ? single.map(({ name, file, users }) => `${file}  ${name}  ${users[0]}`).toSorted()
    : [];
  return [...list, `${single.length} of ${all.length} exports are used by exactly one other file.`].join(
    '\n',
  );
}

function main(): string {
  const flag = { type: 'boolean', default: false } as const;
  const options = { exports: flag, list: flag, json: flag, help: flag };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.help) return help;
  if (values.list && !values.exports) throw new Error('--list belongs to --exports.');
  const source = openSource(path.dirname(import.meta.dirname));
  return values.exports
    ? showExports(source, values.list, values.json)
    : showWalks(source, positionals, values.json);
}

try {
  console.log(main());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
