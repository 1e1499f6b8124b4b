import type { Sample } from './accounts.ts';
import type { Run } from './compare.ts';

/** The machine and the settings, in sentences. */
export function describe({ machine, settings, versions, rounds, seconds, on }: Run): string {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const set = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  return [
    `${on.slice(0, 10)}, ${machine.cores} cores (${machine.model}), Node ${machine.node}, load before ${machine.load[0]?.toFixed(1)}.`,
    `PostgreSQL: ${set.join(', ')}. ${named.join(', ')}.`,
    `Medians of ${rounds} rounds of ${seconds} s, by turns; in brackets the lowest and the highest.`,
  ].join('\n');
}

/** A table in Markdown for each scenario, with a line a contestant. */
export function tablesOf({ samples }: Run): string {
  return Object.entries(samples)
    .map(([scenario, found]) => `### ${scenario}\n\n${tableOf(found)}`)
    .join('\n\n');
}

const columns: readonly (readonly [title: string, of: (sample: Sample) => number | undefined])[] = [
  ['items a second', (sample) => sample.itemsPerSecond],
  ['p50, ms', (sample) => sample.p50],
  ['p99, ms', (sample) => sample.p99],
  ['CPU an item, µs: server', ({ cpu }) => cpu.server],
  ['database', ({ cpu }) => cpu.database],
  ['load', ({ cpu }) => cpu.load],
  ['WAL an item, B', (sample) => sample.walBytes],
  ['index entries', (sample) => sample.indexEntries],
];

function tableOf(found: Readonly<Record<string, readonly Sample[]>>): string {
  const head = ['', ...columns.map(([title]) => title), 'Millrace / it'];
  const own = medianOf(found['Millrace'] ?? [], (sample) => sample.itemsPerSecond);
  const rows = Object.entries(found).map(([contestant, samples]) => {
    const cells = columns.map(([title, of]) => cellOf(samples, of, title.startsWith('items')));
    return [
      contestant,
      ...cells,
      ratioOf(
        own,
        medianOf(samples, (sample) => sample.itemsPerSecond),
      ),
    ];
  });
  return [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function cellOf(
  samples: readonly Sample[],
  of: (sample: Sample) => number | undefined,
  hasSpread: boolean,
): string {
  const median = medianOf(samples, of);
  if (median === undefined) return '';
  const values = samples.map((sample) => of(sample) ?? 0);
  const spread = hasSpread ? ` (${shown(Math.min(...values))}–${shown(Math.max(...values))})` : '';
  return `${shown(median)}${spread}`;
}

const shown = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(2);

const ratioOf = (own: number | undefined, other: number | undefined) =>
  own === undefined || other === undefined ? '' : (own / other).toPrecision(2);

export function medianOf(
  samples: readonly Sample[],
  of: (sample: Sample) => number | undefined,
): number | undefined {
  const values = samples.map(of).filter((value) => value !== undefined);
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
