import { useEffect, useRef } from 'react';
import { hasKeys } from '../preferences/preferences.ts';
import { useAction } from './actions.ts';

/**
 * Has a key do something for as long as what uses it is on screen. Keys that are typed, or meant for a dialog or menu, do nothing else.
 * @param act answers false where the key means nothing now
 * @param name of what it does, by which the palette offers it too
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

/** Has Ctrl (or Cmd) with a key do something, also while somebody types; but not while a dialog lies over the page. */
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

/** Whether nobody else has taken a key, and none is held with it. */
export function isAlone({ ctrlKey, metaKey, altKey, defaultPrevented }: KeyboardEvent): boolean {
  return !ctrlKey && !metaKey && !altKey && !defaultPrevented;
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
