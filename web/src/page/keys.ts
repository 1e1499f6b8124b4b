import { useEffect, useRef } from 'react';
import { hasKeys } from '../preferences/preferences.ts';

/** Has a key do something for as long as what uses it is on screen. Keys that are typed, or meant for a dialog or menu, do nothing else. */
export function useKey(key: string, act: () => void): void {
  const now = useRef(act);
  useEffect(() => {
    now.current = act;
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const isAlone = !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented;
      if (!isAlone || event.key !== key || isTaken(event)) return;
      event.preventDefault();
      now.current();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [key]);
}

/** Whether a key does nothing because single letters, digits and signs are switched off. */
export function isSilent(key: string): boolean {
  return key.length === 1 && key !== ' ' && !hasKeys();
}

/** Whether the keys are taken: they are typed somewhere, a dialog or menu lies over the page, or they are switched off. */
export function isTaken({ target, key }: KeyboardEvent): boolean {
  if (isSilent(key)) return true;
  const taking = 'input:not([type=checkbox]), textarea, select, [role=dialog], [role=menu]';
  return target instanceof Element && target.closest(taking) !== null;
}
