import { useEffect } from 'react';

/** Names the page in the tab of the browser, most telling word first. */
export function useTitle(...parts: string[]): void {
  const title = [...parts, 'Millrace'].join(' · ');
  useEffect(() => {
    document.title = title;
  }, [title]);
}
