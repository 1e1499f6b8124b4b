import type { OperationId } from '@millrace/api';
import type { Command } from 'commander';
import { isRecord } from './body.ts';
import type { Member } from './contract.ts';
import { UsageError } from './errors.ts';
import { readTime } from './times.ts';

// The members that mean "for ever" to each operation: updateWorkItem keeps the former time when none is given.
const forEver: ReadonlyMap<OperationId, Record<string, unknown>> = new Map<
  OperationId,
  Record<string, unknown>
>([
  ['updateWorkItemStatus', {}],
  ['updateWorkItem', { deferredUntil: null }],
]);

const bothWays =
  'Until when are the items deferred? Give --deferred-until with a time, such as 2h or "tomorrow 08:00", or --for-ever to have ' +
  'them wait until somebody releases them.';
const question = 'Deferred until when? A time such as 2h or tomorrow 08:00, or "for ever": ';

/** Other sources of a time that the body lacks. */
export interface Wish {
  /** Whether --for-ever was given. */
  readonly isForEver: boolean;
  /** Asks the person at the terminal; undefined without one. */
  readonly askPerson: ((question: string) => Promise<string>) | undefined;
}

/** Whether a command can defer existing items. */
export function canDefer(operationId: OperationId): boolean {
  return forEver.has(operationId);
}

/** Adds the flag that replaces a time. */
export function addForEverFlag(command: Command): void {
  command.option('--for-ever', 'Defer without a time: the items wait until somebody releases them');
}

/** The flag of the time. On the wire its absence means for ever; the command line wants that said. */
export function deferralTime(member: Member): Member {
  const description = member.description.replace('for ever when left out', 'or else give --for-ever');
  return { ...member, description };
}

/**
 * Completes a deferral by its time, asked for at a terminal: a forgotten time would defer the items for ever.
 * @throws UsageError that says both ways to give it
 */
export async function withDeferral(
  operationId: OperationId,
  body: unknown,
  { isForEver, askPerson }: Wish,
): Promise<unknown> {
  if (!isDeferral(body)) {
    if (isForEver) throw new UsageError('--for-ever goes with --action DEFER or --status DEFERRED only.');
    return body;
  }
  const hasTime = body['deferredUntil'] !== undefined;
  if (hasTime && isForEver) throw new UsageError('Give either --deferred-until or --for-ever.');
  if (hasTime) return body;
  const until = isForEver ? 'for ever' : await askUntil(askPerson);
  return {
    ...body,
    ...(until === 'for ever' ? forEver.get(operationId) : { deferredUntil: readTime(until) }),
  };
}

function isDeferral(body: unknown): body is Record<string, unknown> {
  return isRecord(body) && (body['action'] === 'DEFER' || body['status'] === 'DEFERRED');
}

async function askUntil(askPerson: Wish['askPerson']): Promise<string> {
  if (askPerson === undefined) throw new UsageError(bothWays);
  return (await askPerson(question)).trim().toLowerCase();
}
