import { useEffect } from 'react';
import { createStore } from '../store/store.ts';

/** The path and the name of the open page. */
export const opened = createStore<{ readonly path: string; readonly title: string } | undefined>(undefined);

/** Names the page in the browser's tab and among the recent pages, the most telling word first. */
export function useTitle(...parts: string[]): void {
  const title = parts.join(' · ');
  useEffect(() => {
    document.title = `${title} · Millrace`;
    opened.set({ path: location.pathname, title });
  }, [title]);
}
