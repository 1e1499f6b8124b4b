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

/** What was found, and what was to be, where that is said. */
export interface Finding {
  readonly what: string;
  readonly found: string;
  readonly goal?: string;
}

/** What one kind of measuring has found. */
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

/** Prints what was found, and keeps it beside the samples of other runs. */
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

/** Writes what a run has found to where `npm run bench performance` looks for it. */
export async function keep(kind: string, run: { readonly on: string }): Promise<void> {
  await mkdir(results, { recursive: true });
  const file = path.join(results, `${kind}-${run.on.replaceAll(':', '-')}.json`);
  await writeFile(file, JSON.stringify(run, null, 1));
  console.log(`\nAll of it: ${path.relative(process.cwd(), file)}`);
}

/** The value in the middle. */
export const medianOf = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
