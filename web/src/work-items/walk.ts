import { createStore } from '../store/store.ts';

/** The list looked at last: its items can be walked through on their own pages. */
interface Walk {
  readonly queueId: string;
  readonly ids: readonly string[];
}

export const walk = createStore<Walk | undefined>(undefined);

/** The items before and behind one in the list that it was opened from. */
export function neighbours(list: Walk | undefined, queueId: string, id: string) {
  const index = list?.queueId === queueId ? list.ids.indexOf(id) : -1;
  if (!list || index < 0) return {};
  return { before: list.ids[index - 1], behind: list.ids[index + 1] };
}
