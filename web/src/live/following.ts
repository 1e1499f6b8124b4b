import { useSyncExternalStore } from 'react';
import { isPaused } from './effects.ts';

/** Whether what is on screen is to follow what happens: somebody sees the tab, and has not asked for it to stand still. */
export function useIsFollowing(): boolean {
  return useSyncExternalStore(subscribe, () => !document.hidden && !isPaused.get());
}

function subscribe(listener: () => void): () => void {
  const stop = isPaused.subscribe(listener);
  document.addEventListener('visibilitychange', listener);
  return () => {
    stop();
    document.removeEventListener('visibilitychange', listener);
  };
}
