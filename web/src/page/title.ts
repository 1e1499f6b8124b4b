import { useEffect } from 'react';
import { createStore } from '../store/store.ts';

/** The page that is open: its path, and its name. */
export const opened = createStore<{ readonly path: string; readonly title: string } | undefined>(undefined);

/** Names the page, in the tab of the browser and among those that were opened, most telling word first. */
export function useTitle(...parts: string[]): void {
  const title = parts.join(' · ');
  useEffect(() => {
    document.title = `${title} · Millrace`;
    opened.set({ path: location.pathname, title });
  }, [title]);
}
