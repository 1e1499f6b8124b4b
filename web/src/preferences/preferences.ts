import type { Schemas } from '@millrace/api';
import { createStore, useStore } from '../store/store.ts';
import { readPreferences } from './rules.ts';

export type Preferences = Schemas['Preferences'];

const place = 'millrace.preferences';

/**
 * What the user has chosen, as far as this browser knows: what the server said last, so that a page looks right before it is asked again.
 */
export const preferences = createStore<Preferences>(readPreferences(localStorage.getItem(place)));

preferences.subscribe(() => localStorage.setItem(place, JSON.stringify(preferences.get())));

export function usePreferences(): Preferences {
  return useStore(preferences);
}

/** Whether single letters do something when they are pressed. */
export function hasKeys(): boolean {
  return preferences.get().keys !== false;
}
