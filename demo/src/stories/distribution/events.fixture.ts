import type { Event } from './feed.ts';

let id = 0;

/** An event at a second of the first minute of a day. */
export function at(second: number, event: Partial<Event> & Pick<Event, 'operation'>): Event {
  id += 1;
  const on = new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();
  return { cursor: `${id}-0`, id, actorId: 1, on, ...event };
}

/** The time of `at` in a history. */
export function ms(second: number): number {
  return Date.UTC(2026, 0, 1) + second * 1000;
}

type Place = Required<Pick<Event, 'queueId' | 'itemId'>> & Pick<Event, 'deviceId'>;

/** The events of an item, by what happens to it. */
export const happens = {
  created: (second: number, { queueId, itemId }: Place) =>
    at(second, { operation: 'createWorkItems', queueId, itemId, to: 'NEW' }),
  begun: (second: number, place: Place) =>
    at(second, { operation: 'requestWork', ...place, from: 'NEW', to: 'IN_PROGRESS' }),
  done: (second: number, place: Place) =>
    at(second, { operation: 'finishWorkItems', ...place, from: 'IN_PROGRESS', to: 'COMPLETE' }),
};
