import type { Id, Schemas } from '@millrace/api';
import { createStore } from '../store/store.ts';
import type { BulkAction } from './bulk-rules.ts';

export type Outcome = Pick<
  Schemas['BulkOutcome'],
  'selected' | 'changed' | 'unchanged' | 'refused' | 'refusals' | 'batchId'
>;

/** Something that is done to many items, or was: it belongs to no page, and goes on wherever one goes. */
export interface Run {
  readonly key: number;
  readonly queueId: Id;
  readonly queueName: string;
  readonly action: BulkAction;
  readonly outcome: Outcome;
  /** `unsure`: the server does not answer, and nobody knows how far it came; `cut`: it is back, and that is known. */
  readonly state: 'running' | 'stopped' | 'done' | 'failed' | 'unsure' | 'cut';
  /** What went wrong, in the words of the server. */
  readonly problem?: string | undefined;
  /** Does no more of it; what is done stays done. */
  readonly stop: () => void;
  /** Does what is left, where it was cut. */
  readonly goOn?: (() => void) | undefined;
}

/** In the order in which they were begun, until somebody puts them away. */
export const runs = createStore<readonly Run[]>([]);

export function putRun(run: Run): void {
  const others = runs.get();
  const isKnown = others.some(({ key }) => key === run.key);
  runs.set(isKnown ? others.map((one) => (one.key === run.key ? run : one)) : [...others, run]);
}

export function forgetRun(key: number): void {
  runs.set(runs.get().filter((run) => run.key !== key));
}
