import type { Id } from '@millrace/api';
import type { BatchContext } from '../operation.ts';
import { selectKnown } from './late.sql.ts';
import type { SentReport } from './report.rules.ts';
import type { Item } from './rules.ts';

/** A report that came too late, and the item as it is now. */
interface Late extends SentReport {
  readonly id: Id;
  readonly before: Item;
}

/** Of reports that came too late: what goes on record, and what comes from users who never held the item. */
interface Sorted<L> {
  readonly evidence: readonly L[];
  readonly strange: ReadonlySet<L>;
}

/**
 * Evidence is what somebody says who held the item at that version or before, once for each version and status: whoever may
 * report could fill the timeline of any item otherwise.
 */
export async function sortLate<L extends Late>(
  { db, queue }: BatchContext,
  late: readonly L[],
): Promise<Sorted<L>> {
  if (late.length === 0) return { evidence: [], strange: new Set() };
  const asked = late.map(({ id, actorId, report: { version, status } }) => {
    return { itemId: id, actorId, version, status };
  });
  const known = await selectKnown(db, queue.id, asked);
  const told = new Set<string>();
  const strange = new Set<L>();
  const evidence = late.filter((one, index) => {
    const { id, actorId, before, report } = one;
    const isHolder = known[index]?.held === true && report.version >= 1 && report.version <= before.version;
    if (!isHolder) strange.add(one);
    const name = `${id} ${actorId} ${report.version} ${report.status}`;
    const isNew = isHolder && known[index]?.told === false && !told.has(name);
    told.add(name);
    return isNew;
  });
  return { evidence, strange };
}
