import { useEffect, useRef } from 'react';
import { hasKeys } from '../preferences/preferences.ts';
import { useAction } from './actions.ts';

/**
 * Binds a key while the calling component is on screen. Keys typed into a field, or meant for a dialog or menu, do nothing else.
 * @param act returns false where the key means nothing now
 * @param name the name under which the palette offers it too
 */
export function useKey(key: string, act: () => unknown, name?: string): void {
  const now = useRef(act);
  useEffect(() => {
    now.current = act;
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key !== key || !isAlone(event) || isTaken(event)) return;
      if (now.current() !== false) event.preventDefault();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [key]);
  useAction(name, act, key);
}

/** Binds Ctrl (or Cmd) with a key, also while somebody types; but not while a dialog lies over the page. */
export function useCommand(key: string, act: () => void): void {
  const now = useRef(act);
  useEffect(() => {
    now.current = act;
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key !== key || !(event.ctrlKey || event.metaKey) || isOver(event)) return;
      event.preventDefault();
      now.current();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, [key]);
}

function isOver({ target }: KeyboardEvent): boolean {
  return target instanceof Element && target.closest('[role=dialog]') !== null;
}

/** Whether no other handler has taken a key, and no modifier is held. */
export function isAlone({ ctrlKey, metaKey, altKey, defaultPrevented }: KeyboardEvent): boolean {
  return !ctrlKey && !metaKey && !altKey && !defaultPrevented;
}

/** Whether a key is silent because single letters, digits and signs are switched off. */
export function isSilent(key: string): boolean {
  return key.length === 1 && key !== ' ' && !hasKeys();
}

/** Whether keys belong to something else: a field, or a dialog or menu over the page; or they are switched off. */
export function isTaken({ target, key }: KeyboardEvent): boolean {
  if (isSilent(key)) return true;
  const taking = 'input:not([type=checkbox]), textarea, select, [role=dialog], [role=menu]';
  return target instanceof Element && target.closest(taking) !== null;
}
