import type { Happening, ReadEvent } from '../record.ts';
import { byKey, type Case } from '../timelines.ts';

/** Read to the end by a reader that was killed on the way, the feed is the record: each event once, in one order. */
export function completeFeed({ record, feed }: Case): string[] {
  const known = new Map(record.map((event) => [event.id, event]));
  const seen = new Set(feed.map(({ id }) => id));
  const missing = record.filter(({ id }) => !seen.has(id)).map((one) => `the feed lacks ${nameOf(one)}`);
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

function textOf({
  queueId,
  itemId,
  operation,
  by,
  device,
  from,
  to,
  changes,
}: Happening | ReadEvent): string {
  const absent = null;
  const members = [queueId, itemId, operation, by, device, from, to].map((member) => member ?? absent);
  return JSON.stringify([
    ...members,
    Object.entries(changes ?? {}).toSorted(([one], [other]) => (one < other ? -1 : 1)),
  ]);
}

function comesBefore(one: ReadEvent, other: ReadEvent): boolean {
  const [tx, id] = positionOf(one);
  const [otherTx, otherId] = positionOf(other);
  return tx < otherTx || (tx === otherTx && id < otherId);
}

function positionOf({ cursor }: ReadEvent): [bigint, bigint] {
  const [tx = '', id = ''] = cursor.split('-');
  return [BigInt(tx), BigInt(id)];
}

/** The events of one item come in the same order from the feed, from its own timeline, and from the record. */
export function sameTimelines({ feed, events, items, timelines }: Case): string[] {
  const read = byKey(feed, ({ itemId }) => itemId);
  const fromFeed = [...events].filter(([id, list]) => idsOf(list) !== idsOf(read.get(id) ?? []));
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
