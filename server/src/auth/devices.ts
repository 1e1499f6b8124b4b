import type { Id, Input, Operation } from '@millrace/api';
import type { Db } from '../db.ts';
import { Refusal } from '../errors.ts';
import type { Actor } from '../operation.ts';
import type { Caller } from './rules.ts';
import { selectSentTo } from './sql.ts';

/** A call on a queue: who makes it, what it asks for, and what was decided of it by the standings of the caller. */
export interface Decided {
  readonly caller: Caller | undefined;
  readonly input: Input;
  readonly actor: Actor | Refusal;
}

/**
 * The callers again, with the standing DEVICE where a call would be refused otherwise and all items that it names were sent to
 * devices of the caller, whether they are there still or not: who lost an item has a last word to say on it.
 */
export async function withDevices(
  db: Db,
  { operation, queueId }: { readonly operation: Operation; readonly queueId: Id | undefined },
  calls: readonly Decided[],
): Promise<(Caller | undefined)[]> {
  const callers = calls.map(({ caller }) => caller);
  if (queueId === undefined || !operation.queue?.includes('report')) return callers;
  const refused = calls.flatMap(({ caller, input, actor }, turn) =>
    caller && actor instanceof Refusal ? [{ turn, userId: caller.userId, itemIds: itemsIn(input) }] : [],
  );
  if (refused.length === 0) return callers;
  const turns = new Set(await selectSentTo(db, queueId, refused));
  return callers.map((caller, turn) =>
    caller && turns.has(turn) ? { ...caller, standings: [...caller.standings, 'DEVICE' as const] } : caller,
  );
}

/** The items of its queue that a call names. */
function itemsIn({ path, body }: Input): Id[] {
  const { workItemId } = path as { workItemId?: Id };
  if (workItemId !== undefined) return [workItemId];
  const { leases, results } = (body ?? {}) as Record<'leases' | 'results', { id: Id }[] | undefined>;
  return (leases ?? results ?? []).map(({ id }) => id);
}
