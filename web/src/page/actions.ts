import { useEffect, useRef } from 'react';
import { createStore } from '../store/store.ts';

/** An action of the open page. */
export interface PageAction {
  readonly name: string;
  /** The key for it. */
  readonly key?: string | undefined;
  readonly act: () => unknown;
}

export const pageActions = createStore<readonly PageAction[]>([]);

/** Offers an action in the palette while the calling component is on screen; nothing without a name. */
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
