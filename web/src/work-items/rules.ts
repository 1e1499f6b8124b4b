import type { Item, ItemAction } from './queries.ts';

/** The actions behind a button; what is in doubt is answered in place. */
export type Deed = Exclude<ItemAction, 'done' | 'notDone' | 'partly'>;

/** The actions on an item in its present state. The server decides; this spares people its refusals. */
export function actionsFor(item: Item): readonly Deed[] {
  if (item.failureKind === 'IN_DOUBT') return [];
  if (item.status === 'FAILED') return ['restart'];
  if (item.status === 'DEFERRED' || (item.status === 'NEW' && item.notBefore !== undefined))
    return ['release'];
  if (item.status === 'IN_PROGRESS' && item.cancelRequestedOn === undefined) return ['cancel'];
  return [];
}
