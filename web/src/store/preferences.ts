import { createStore, type Store } from './store.ts';

/** A choice that this browser keeps; a kept text that is no choice counts as none. */
export function kept<Choice extends string>(
  name: string,
  isChoice: (text: string) => text is Choice,
  first: Choice,
): Store<Choice> {
  const place = `millrace.${name}`;
  const storage = typeof localStorage === 'undefined' ? undefined : localStorage;
  const found = storage?.getItem(place) ?? first;
  const store = createStore(isChoice(found) ? found : first);
  store.subscribe(() => storage?.setItem(place, store.get()));
  return store;
}

/** A test whether a text is one of these. */
export function among<Choice extends string>(choices: readonly Choice[]) {
  return (text: string): text is Choice => choices.some((one) => one === text);
}

/** The time zone in which times are shown and typed; empty for the browser's. */
export const timeZone = kept('time-zone', isZone, '');

function isZone(text: string): text is string {
  try {
    return text === '' || new Intl.DateTimeFormat('en', { timeZone: text }).format(0) !== '';
  } catch {
    return false;
  }
}
