import { opened } from '../page/title.ts';
import { createStore } from '../store/store.ts';
import { readRecent, withVisit, type Visit } from './rules.ts';

const place = 'millrace.recent';

/** The pages that the user has opened in this browser, the newest first. */
export const recent = createStore<readonly Visit[]>([]);

/** Notes the pages that a user opens. @returns the function that ends it */
export function followVisits(userId: string): () => void {
  recent.set(readRecent(localStorage.getItem(place), userId));
  const note = () => {
    const visit = opened.get();
    if (!visit) return;
    recent.set(withVisit(recent.get(), visit));
    localStorage.setItem(place, JSON.stringify({ userId, visits: recent.get() }));
  };
  note();
  return opened.subscribe(note);
}
