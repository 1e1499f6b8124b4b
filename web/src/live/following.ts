import { useSyncExternalStore } from 'react';
import { isPaused } from './effects.ts';

/** Whether the screen follows events: the tab is visible, and not paused. */
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
