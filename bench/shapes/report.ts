export type Row = Record<string, string | number>;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

export function print(title: string, rows: readonly Row[]): void {
  const keys = Object.keys(rows[0] ?? {});
  console.log(`\n### ${title}\n\n| ${keys.join(' | ')} |\n|${keys.map(() => '---').join('|')}|`);
  for (const row of rows) console.log(`| ${keys.map((key) => row[key]).join(' | ')} |`);
}

export function payloadOf(bytes: number): string {
  const count = bytes >= 1000 ? 20 : 5;
  const room = Math.floor((bytes - count * 12) / count);
  const entries = Array.from({ length: count }, (_, at): [string, string | number] => [
    `field${String(at).padStart(2, '0')}`,
    at % 5 === 4 ? 1000.5 + at : String(at).padEnd(room, 'payload text '),
  ]);
  return JSON.stringify(Object.fromEntries(entries));
}
