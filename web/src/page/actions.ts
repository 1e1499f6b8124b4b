import { useEffect, useRef } from 'react';
import { createStore } from '../store/store.ts';

/** Something that can be done on the page that is open. */
export interface PageAction {
  readonly name: string;
  /** The key that does it as well. */
  readonly key?: string | undefined;
  readonly act: () => unknown;
}

export const pageActions = createStore<readonly PageAction[]>([]);

/** Has the palette offer an action for as long as what uses it is on screen; nothing where it has no name. */
export function useAction(name: string | undefined, act: () => unknown, key?: string): void {
  const now = useRef(act);
  useEffect(() => {
    now.current = act;
  });
  useEffect(() => {
    if (name === undefined) return undefined;
    const action = { name, key, act: () => now.current() };
    pageActions.set([...pageActions.get(), action]);
    return () => pageActions.set(pageActions.get().filter((one) => one !== action));
  }, [name, key]);
}
