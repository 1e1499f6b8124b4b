import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import path from 'node:path';
import type { Stage } from './stage.ts';

/** The machine that something was measured on. */
export interface Machine {
  readonly cores: number;
  readonly model: string;
  readonly node: string;
  readonly load: readonly number[];
}

/** A result, and its goal where there is one. */
export interface Finding {
  readonly what: string;
  readonly found: string;
  readonly goal?: string;
}

/** The results of one kind of measurement. */
export interface Findings {
  readonly kind: 'flat' | 'many' | 'soak';
  readonly on: string;
  readonly machine: Machine;
  readonly settings: Readonly<Record<string, string>>;
  readonly findings: readonly Finding[];
}

export function machineUnder(load: readonly number[] = loadavg()): Machine {
  const model = cpus()[0]?.model ?? '';
  return { cores: availableParallelism(), model, node: process.version, load };
}

/** Prints the results, and keeps them beside the samples of other runs. */
export async function keepFindings(
  kind: Findings['kind'],
  { settings }: Stage,
  machine: Machine,
  findings: readonly Finding[],
): Promise<void> {
  for (const { what, found, goal } of findings)
    console.log(`${what}: ${found}${goal === undefined ? '' : ` (goal: ${goal})`}`);
  const kept: Findings = { kind, on: new Date().toISOString(), machine, settings, findings };
  await keep(kind, kept);
}

export const results = path.join(import.meta.dirname, 'results');

/** Writes the results of a run to where `npm run bench performance` looks for them. */
export async function keep(kind: string, run: { readonly on: string }): Promise<void> {
  await mkdir(results, { recursive: true });
  const file = path.join(results, `${kind}-${run.on.replaceAll(':', '-')}.json`);
  await writeFile(file, JSON.stringify(run, null, 1));
  console.log(`\nAll of it: ${path.relative(process.cwd(), file)}`);
}

/** The value in the middle. */
export const medianOf = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
