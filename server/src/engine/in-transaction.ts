import { setTimeout } from 'node:timers/promises';
import type { Parts } from './call.ts';
import { transaction, type Access, type Db } from './db.ts';
import { retryMs } from './errors.ts';
import { firstPlaces, type Place } from './low-water.ts';
import type { Context } from './operation.ts';
import { allWaiting, type WakeUp } from './wake-ups.ts';

/** Runs work in a transaction of its own, with the time of the database, and afterwards wakes the calls that wait for its effects. */
export async function inTransaction<T>(
  { pool, notify }: Pick<Parts, 'pool' | 'notify'>,
  work: (db: Db, clock: Promise<Date>, wake: Context['wake']) => Promise<T>,
  access?: Access,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const due = new Map<WakeUp, Due>();
    const wake: Context['wake'] = (name, items = allWaiting) => due.set(name, dueWith(due.get(name), items));
    try {
      const result = await transaction(pool, (db, clock) => work(db, clock, wake), access);
      for (const [name, { items, places }] of due) notify(name, items, places);
      return result;
    } catch (error) {
      const pause = retryMs(error);
      if (attempt === 3 || pause === undefined) throw error;
      if (pause > 0) await setTimeout(pause);
    }
  }
}

/** A wake-up that is due after the commit. */
interface Due {
  readonly items: number;
  readonly places: Place[];
}

function dueWith({ items, places }: Due = { items: 0, places: [] }, more: number | readonly Place[]): Due {
  const isCount = typeof more === 'number';
  // Filled in place: the rows of a file come in many portions.
  if (!isCount) for (const place of more) places.push(place);
  const total = Math.min(items + (isCount ? more : more.length), allWaiting);
  return { items: total, places: firstPlaces(places) };
}
