import type { Id, Schemas } from '@millrace/api';
import { nameProblems } from '../engine/checks.ts';
import { Refusal, type ErrorDetail } from '../engine/errors.ts';
import type { Attribute } from '../engine/operation.ts';
import { isMarked } from '../records/sensitive.rules.ts';

type Batch = Schemas['Batch'];
type Expected = Schemas['ControlTotals'];

/** A batch with its counts. */
export interface StoredBatch {
  readonly id: Id;
  readonly name: string;
  readonly source: Batch['source'];
  readonly expectedItems?: number | undefined;
  readonly expectedSums?: Record<string, number> | undefined;
  readonly received: number;
  readonly done: number;
  readonly failed: number;
  readonly withdrawn: number;
  readonly sums?: Record<string, number> | undefined;
  /** Whether the sums are as expected. */
  readonly sumsMatch: boolean;
  readonly closedOn?: Date | undefined;
  readonly completedOn?: Date | undefined;
  readonly createdBy: Id;
  readonly createdOn: Date;
}

/** The part of a batch that decides whether it is complete. */
type Progress = Pick<
  StoredBatch,
  'expectedItems' | 'closedOn' | 'received' | 'done' | 'failed' | 'withdrawn'
>;

export const waitingOf = ({ received, done, failed, withdrawn }: Progress): number =>
  received - done - failed - withdrawn;

/** Whether no more items come into a batch. */
function isFull({ closedOn, expectedItems, received }: Progress): boolean {
  return closedOn !== undefined || (expectedItems !== undefined && received >= expectedItems);
}

/** Whether no more items come into a batch, and none of it waits. */
export function isComplete(batch: Progress): boolean {
  return isFull(batch) && waitingOf(batch) === 0;
}

/** @param moves whether an item of it is in progress, or can go on without a person */
function stateOf(batch: Progress, moves: boolean): NonNullable<Batch['state']> {
  if (isComplete(batch)) return batch.failed > 0 ? 'DONE_WITH_FAILURES' : 'DONE';
  return waitingOf(batch) > 0 && !moves ? 'STUCK' : 'OPEN';
}

/** Whether the received items and sums are as expected; undefined where nothing is expected. */
function matches({ expectedItems, expectedSums, received, sumsMatch }: StoredBatch): boolean | undefined {
  if (expectedItems === undefined && expectedSums === undefined) return undefined;
  return (expectedItems === undefined || expectedItems === received) && sumsMatch;
}

/** A batch as the contract words it, without its counts. */
export function headOf(batch: StoredBatch): Batch {
  const { id, name, source, createdBy, createdOn, completedOn } = batch;
  return {
    ...{ id, name, source, createdBy, createdOn: createdOn.toISOString() },
    ...(completedOn && { completedOn: completedOn.toISOString() }),
  };
}

/** A batch as the contract words it. */
export function reportOf(batch: StoredBatch, moves: boolean): Batch {
  const { received, done, failed, withdrawn, expectedItems, expectedSums, sums } = batch;
  const { closedOn } = batch;
  const isExpected = expectedItems !== undefined || expectedSums !== undefined;
  const isMatch = matches(batch);
  return {
    ...headOf(batch),
    state: stateOf(batch, moves),
    ...{ received, done, failed, withdrawn, waiting: waitingOf(batch) },
    ...(isExpected && {
      expected: {
        ...(expectedItems !== undefined && { items: expectedItems }),
        ...(expectedSums && { sums: expectedSums }),
      },
    }),
    ...(expectedSums && { sums: sums ?? {} }),
    ...(isMatch !== undefined && { matches: isMatch }),
    ...(closedOn && { closedOn: closedOn.toISOString() }),
  };
}

/** The event's account of a complete batch. */
export function outcomeOf(batch: StoredBatch) {
  const { name, received, done, failed, withdrawn } = batch;
  return { name, state: stateOf(batch, true), received, done, failed, withdrawn, matches: matches(batch) };
}

/** The reason why a batch cannot have this name or these control totals. */
export function batchProblem(
  name: string,
  expected: Expected | undefined,
  attributes: readonly Attribute[],
): Refusal | undefined {
  const problems: ErrorDetail[] = [...nameProblems(name), ...sumProblems(expected, attributes)];
  const [first] = problems;
  if (!first) return undefined;
  return new Refusal('INVALID_REQUEST', `${first.field} ${first.message}.`, { details: problems });
}

function sumProblems({ sums = {} }: Expected = {}, attributes: readonly Attribute[]): ErrorDetail[] {
  const numbers = attributes.filter((one) => one.type === 'NUMBER' && !isMarked(one)).map(({ name }) => name);
  const known = numbers.length > 0 ? `those are ${numbers.join(', ')}` : 'the model has none';
  return Object.keys(sums)
    .filter((name) => !numbers.includes(name))
    .map((name) => ({
      field: 'expected.sums',
      message: `names ${JSON.stringify(name)}, which is no attribute of the type NUMBER, or is encrypted: ${known}`,
    }));
}
