import type { Schemas } from '@millrace/api';
import { createStore, useStore } from '../store/store.ts';
import { readPreferences } from './rules.ts';

export type Preferences = Schemas['Preferences'];

const place = 'millrace.preferences';

/** The user's choices as this browser knows them: the server's last answer, so that a page looks right before the next one. */
export const preferences = createStore<Preferences>(readPreferences(localStorage.getItem(place)));

preferences.subscribe(() => localStorage.setItem(place, JSON.stringify(preferences.get())));

export function usePreferences(): Preferences {
  return useStore(preferences);
}

/** Whether single-letter keys are switched on. */
export function hasKeys(): boolean {
  return preferences.get().keys !== false;
}
