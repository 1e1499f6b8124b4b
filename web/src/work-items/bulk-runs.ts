import type { Id, Schemas } from '@millrace/api';
import { createStore } from '../store/store.ts';
import type { BulkAction } from './bulk-rules.ts';

export type Outcome = Pick<
  Schemas['BulkOutcome'],
  'selected' | 'changed' | 'unchanged' | 'refused' | 'refusals' | 'batchId'
>;

/** An action on many items, running or ended: it belongs to no page, and goes on across them. */
export interface Run {
  readonly key: number;
  readonly queueId: Id;
  readonly queueName: string;
  readonly action: BulkAction;
  readonly outcome: Outcome;
  /** `unsure`: the server does not answer, and the progress is unknown; `cut`: it is back, and the progress is known. */
  readonly state: 'running' | 'stopped' | 'done' | 'failed' | 'unsure' | 'cut';
  /** The error, in the server's words. */
  readonly problem?: string | undefined;
  /** Ends the run; finished items stay as they are. */
  readonly stop: () => void;
  /** Does the rest, after a cut. */
  readonly goOn?: (() => void) | undefined;
}

/** In the order of their beginning, until somebody puts them away. */
export const runs = createStore<readonly Run[]>([]);

export function putRun(run: Run): void {
  const others = runs.get();
  const isKnown = others.some(({ key }) => key === run.key);
  runs.set(isKnown ? others.map((one) => (one.key === run.key ? run : one)) : [...others, run]);
}

export function forgetRun(key: number): void {
  runs.set(runs.get().filter((run) => run.key !== key));
}
