import type { Item, ItemAction } from './queries.ts';

/** What can be done to an item as it is. The server decides; this spares people what it would refuse. */
export function actionsFor(item: Item): readonly ItemAction[] {
  if (item.failureKind === 'IN_DOUBT') return ['done', 'notDone', 'partly'];
  if (item.status === 'FAILED') return ['restart'];
  if (item.status === 'DEFERRED' || (item.status === 'NEW' && item.notBefore !== undefined))
    return ['release'];
  if (item.status === 'IN_PROGRESS' && item.cancelRequestedOn === undefined) return ['cancel'];
  return [];
}
