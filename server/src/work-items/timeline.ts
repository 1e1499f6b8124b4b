import type { Id, Schemas } from '@millrace/api';
import type { Db } from '../db.ts';
import { selectItemEvents } from '../events/sql.ts';

type Event = Schemas['WorkItemEvent'];

/** A stay of an item in a queue that it was moved away from, by the event of its arrival in the next one. */
interface Stay {
  readonly queueId: Id;
  readonly before: Id;
}

/**
 * What happened to an item, oldest first. An item that was moved brings its timeline with it, which lies in the queues where it was:
 * the event of its arrival names the queue it came from.
 */
export async function readTimeline(db: Db, queueId: Id, itemId: Id): Promise<Event[]> {
  const events = new Map<Id, Event>();
  const found = await selectItemEvents(db, queueId, itemId);
  const stays = keep(events, found);
  for (let stay = stays.pop(); stay; stay = stays.pop()) {
    const { before } = stay;
    const earlier = await selectItemEvents(db, stay.queueId, itemId);
    stays.push(
      ...keep(
        events,
        earlier.filter(({ id }) => id < before),
      ),
    );
  }
  return [...events.values()].toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

/** Keeps events that are not known yet; answers the stays before those arrivals that are among them. */
function keep(events: Map<Id, Event>, found: readonly Event[]): Stay[] {
  const added = found.filter(({ id }) => !events.has(id));
  for (const event of added) events.set(event.id, event);
  return added.flatMap(({ id, changes }) => {
    const queueId = changes?.['movedFrom'];
    return queueId === undefined ? [] : [{ queueId: queueId as Id, before: id }];
  });
}
