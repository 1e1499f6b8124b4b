import { useEffect, type RefObject } from 'react';
import { isAlone, isTaken, useKey } from './keys.ts';

/**
 * Moves the focus over the rows in an element, each marked by `data-row`, to the first link or button of a row: by `j` and `k`, and by `↑`
 * and `↓` once it is in a row. A link or button with a key as `data-key` is pressed by it in its row; without rows, the whole element
 * counts as one.
 */
export function useRows(list: RefObject<HTMLElement | null>): void {
  const go = (step: number, isFromOutside: boolean) => {
    const rows = rowsIn(list.current);
    const at = rows.findIndex(hasFocus);
    if (at < 0 && !isFromOutside) return false;
    const next = rows[at < 0 ? 0 : at + step]?.querySelector<HTMLElement>('a, button');
    next?.focus();
    return next !== undefined;
  };
  useKey('j', () => go(1, true));
  useKey('k', () => go(-1, true));
  useKey('ArrowDown', () => go(1, false));
  useKey('ArrowUp', () => go(-1, false));
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (!isAlone(event) || isTaken(event)) return;
      const rows = rowsIn(list.current);
      const row = rows.length === 0 ? list.current : rows.find(hasFocus);
      const pressed = row?.querySelector<HTMLElement>(`[data-key="${CSS.escape(event.key)}"]`);
      if (!pressed) return;
      event.preventDefault();
      pressed.click();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [list]);
}

function rowsIn(list: HTMLElement | null): HTMLElement[] {
  return [...(list?.querySelectorAll<HTMLElement>('[data-row]') ?? [])];
}

const hasFocus = (row: HTMLElement) => row.contains(document.activeElement);
