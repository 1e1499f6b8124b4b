import type { Happening, Told } from '../record.ts';
import { byKey, type Case } from '../timelines.ts';

/** Read to the end, by somebody who was killed on the way, the feed is the record: each event once, in one order. */
export function completeFeed({ record, feed }: Case): string[] {
  const known = new Map(record.map((event) => [event.id, event]));
  const told = new Set(feed.map(({ id }) => id));
  const missing = record.filter(({ id }) => !told.has(id)).map((one) => `the feed lacks ${nameOf(one)}`);
  const wrong = feed.flatMap((event, index) => {
    const real = known.get(event.id);
    if (!real || textOf(real) !== textOf(event)) return [`the feed tells otherwise of ${nameOf(event)}`];
    const before = feed[index - 1];
    return !before || comesBefore(before, event)
      ? []
      : [`the feed goes back from ${before.cursor} to ${event.cursor}`];
  });
  return [...missing, ...wrong];
}

function nameOf({ id, operation, itemId }: Pick<Happening, 'id' | 'operation' | 'itemId'>): string {
  return `event ${id}, ${operation} of item ${itemId ?? 'none'}`;
}

function textOf({ queueId, itemId, operation, by, device, from, to, changes }: Happening | Told): string {
  const absent = null;
  const members = [queueId, itemId, operation, by, device, from, to].map((member) => member ?? absent);
  return JSON.stringify([
    ...members,
    Object.entries(changes ?? {}).toSorted(([one], [other]) => (one < other ? -1 : 1)),
  ]);
}

function comesBefore(one: Told, other: Told): boolean {
  const [tx, id] = placeOf(one);
  const [otherTx, otherId] = placeOf(other);
  return tx < otherTx || (tx === otherTx && id < otherId);
}

function placeOf({ cursor }: Told): [bigint, bigint] {
  const [tx = '', id = ''] = cursor.split('-');
  return [BigInt(tx), BigInt(id)];
}

/** What happened to one item comes in the same order from the feed, from its own timeline, and from the record. */
export function sameTimelines({ feed, events, items, timelines }: Case): string[] {
  const told = byKey(feed, ({ itemId }) => itemId);
  const fromFeed = [...events].filter(([id, list]) => idsOf(list) !== idsOf(told.get(id) ?? []));
  const fromTimeline = items.filter(
    ({ id }) => idsOf(events.get(id) ?? []) !== String(timelines.get(id) ?? []),
  );
  return [
    ...fromFeed.map(([id]) => `the feed tells of item ${id} in another order than it happened`),
    ...fromTimeline.map(({ id }) => `the timeline of item ${id} is not what is on record`),
  ];
}

function idsOf(events: readonly { readonly id: number }[]): string {
  return String(events.map(({ id }) => id));
}
