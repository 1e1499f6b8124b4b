import { createStore } from '../store/store.ts';

/** A file dropped on a queue, until the page for uploads has taken it. */
export const dropped = createStore<File | undefined>(undefined);
