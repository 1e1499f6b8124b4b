import { toId, type Id } from '@millrace/api';
import { useState } from 'react';
import type { Selection } from '../grid/props.ts';

interface Chosen {
  readonly ids: ReadonlySet<string>;
  /** Whether all matches are selected, unread ones included. */
  readonly isAll: boolean;
}

const none: Chosen = { ids: new Set(), isAll: false };

interface RowSelection extends Selection {
  readonly ids: readonly Id[];
  readonly isAll: boolean;
  readonly clear: () => void;
}

/**
 * The selected rows of a list: some of those that were read, or all that match.
 * @param of what the list shows; with another, nothing is selected
 * @param listed the rows that it shows: others cannot stay selected, as an action would concern what nobody sees
 */
export function useSelection(of: string, listed: ReadonlySet<string>): RowSelection {
  const [{ ids, isAll }, set] = useState(none);
  const [shown, setShown] = useState(of);
  if (shown !== of) {
    setShown(of);
    set(none);
  }
  const shownIds = [...ids].filter((id) => listed.has(id));
  if (!isAll && shownIds.length < ids.size) set({ ids: new Set(shownIds), isAll });
  return {
    ids: [...ids].map(toId),
    isAll,
    has: (id) => isAll || ids.has(id),
    toggle: (id) =>
      set((now) => ({
        ids: new Set(now.ids.has(id) ? [...now.ids].filter((one) => one !== id) : [...now.ids, id]),
        isAll: false,
      })),
    toggleAll: (read) =>
      set((now) => {
        if (now.isAll) return none;
        if (read.length > 0 && read.every((id) => now.ids.has(id))) return { ids: now.ids, isAll: true };
        return { ids: new Set([...now.ids, ...read]), isAll: false };
      }),
    add: (more) => set((now) => ({ ids: new Set([...now.ids, ...more]), isAll: false })),
    clear: () => set(none),
  };
}
