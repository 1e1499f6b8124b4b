import type { Schemas, Status } from '@millrace/api';
import { focusManager, type Query } from '@tanstack/react-query';
import { askAnew, isListOnScreen, queryClient } from '../connection/query.ts';
import { awaySince } from '../connection/reach.ts';
import { holdTimes } from '../page/time.tsx';
import { createStore } from '../store/store.ts';
import type { Fold } from './fold.ts';
import type { LiveState } from './messages.ts';
import { effectOn, type Read } from './rules.ts';

/** The state of the event stream, in the tab that has it and in the others. */
export const liveState = createStore<LiveState>('off');

/** Whether the user has paused the updates of what is on screen. */
export const isPaused = createStore(false);

/** The changed items of a list: some, too many to name, or `values` where the stream tells which come and go. */
export type Changed = readonly string[] | 'many' | 'values';

type Listener = (items: Changed) => void;

const listeners = new Map<string, Set<Listener>>();
const readers = new Set<() => void>();
const due = new Map<string, ReturnType<typeof setTimeout>>();
let hasMissed = false;
let isStill = false;

/** Tells a list which items of its queue have changed, until the returned function is called. */
export function onItems(queueId: string, listener: Listener): () => void {
  const own = listeners.get(queueId) ?? new Set();
  listeners.set(queueId, own.add(listener));
  return () => own.delete(listener);
}

/** Tells a reader of events that there are more, until the returned function is called. */
export function onEvents(reader: () => void): () => void {
  readers.add(reader);
  return () => readers.delete(reader);
}

/** Brings the screen up to date with events. A tab that is hidden, paused or standing still only notes that it has missed something. */
export function takeIn(fold: Fold): void {
  if (document.hidden || isPaused.get() || isStill) {
    hasMissed = true;
    return;
  }
  for (const query of queryClient.getQueryCache().getAll()) {
    const read = readOf(query);
    const effect = read && effectOn(read, fold);
    if (effect?.counts) count(query, effect.counts);
    if (effect) askAgain(query, effect.seconds);
  }
  for (const [queueId, { items }] of Object.entries(fold.queues))
    for (const listener of listeners.get(queueId) ?? []) listener(items);
  for (const reader of readers) reader();
}

function readOf({ queryKey: [operationId, input] }: Query): Read | undefined {
  if (typeof operationId !== 'string') return undefined;
  const { path } = (input ?? {}) as { readonly path?: Record<string, unknown> };
  return { operationId, queueId: idIn(path?.['id']), itemId: idIn(path?.['workItemId']) };
}

function idIn(id: unknown): string | undefined {
  return typeof id === 'number' || typeof id === 'bigint' ? String(id) : undefined;
}

/** Adds the differences to counters on screen; those are asked for anew once in a while. */
function count({ queryKey }: Query, differences: Readonly<Partial<Record<Status, number>>>): void {
  queryClient.setQueryData<Schemas['QueueStats']>(queryKey, (stats) => {
    if (!stats) return undefined;
    const counts = { ...stats.counts };
    for (const [status, difference] of Object.entries(differences) as [Status, number][])
      counts[status] = Math.max(0, counts[status] + difference);
    return { ...stats, counts };
  });
}

/** Asks again once after a while, however often that is wished meanwhile. Answers off screen are asked for when they are looked at. */
function askAgain({ queryHash, queryKey }: Query, seconds: number): void {
  if (due.has(queryHash)) return;
  const ask = () => {
    due.delete(queryHash);
    if (isStill || isPaused.get()) hasMissed = true;
    else void queryClient.invalidateQueries({ queryKey, exact: true });
  };
  due.set(queryHash, setTimeout(ask, seconds * 1000));
}

/**
 * Refreshes the screen after an action here. The counters are left to the feed, which is about to tell of it: refreshed as well, they would
 * count the action twice.
 * @param operations those whose answers have changed; all when left out
 */
export async function readAnew(operations?: readonly string[]): Promise<void> {
  const isTold = liveState.get() === 'live' && !isPaused.get();
  await queryClient.invalidateQueries({
    predicate: (asked) => {
      const operationId = String(asked.queryKey[0]);
      const isLeft = isListOnScreen(asked) || (isTold && operationId === 'getQueueStats');
      return !isLeft && (operations?.includes(operationId) ?? true);
    },
  });
  if (operations?.includes('listWorkItems') ?? true) tellLists(isTold ? 'values' : 'many');
}

function tellLists(items: Changed): void {
  for (const own of listeners.values()) for (const listener of own) listener(items);
}

/** Answers from before the stream began may be old by now. */
export function askForOlderThan(time: number): void {
  void queryClient.invalidateQueries({
    predicate: ({ state }) => state.dataUpdatedAt > 0 && state.dataUpdatedAt < time,
  });
}

/**
 * Acts and leaves the page, which asks for nothing until then: asked for once more, a deleted thing would be an error on a page about to
 * go.
 */
export async function standingStill<Result>(act: () => Promise<Result>): Promise<Result> {
  isStill = true;
  hasMissed = true;
  try {
    await queryClient.cancelQueries();
    return await act();
  } finally {
    isStill = false;
    catchUp();
  }
}

function catchUp(): void {
  if (!hasMissed || document.hidden || isPaused.get() || isStill) return;
  hasMissed = false;
  askAnew();
  tellLists('many');
  for (const reader of readers) reader();
}

awaySince.subscribe(() => {
  if (awaySince.get() === undefined) tellLists('many');
});
document.addEventListener('visibilitychange', catchUp);
isPaused.subscribe(catchUp);
isPaused.subscribe(() => holdTimes(isPaused.get()));
// Polling stops while paused, as in a hidden tab.
isPaused.subscribe(() => focusManager.setFocused(isPaused.get() ? false : undefined));
