import type { PublicContext } from './operation.ts';

/** A repeated chore, run in a transaction of its own. */
export interface Job {
  readonly name: string;
  /** Does what is due, in bounded portions, and answers after how many milliseconds to come again. */
  run(context: Omit<PublicContext, 'token'>): Promise<number>;
}
