import type { PublicContext } from '../operation.ts';
import { markSeen, type SeenDevice, type Sign } from './sql.ts';

/**
 * Notes that devices were heard of, each by the user who registered it; others are left out of the answer. Until the
 * transaction ends, nobody drains or quarantines them: what the answer says of their state stays true.
 */
export async function noteSigns(
  { db, now }: Pick<PublicContext, 'db' | 'now'>,
  signs: readonly Sign[],
): Promise<SeenDevice[]> {
  return markSeen(db, signs, now);
}
