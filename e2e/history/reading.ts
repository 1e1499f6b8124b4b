import type { Client, Schemas } from '@millrace/api';
import type { FinalItem, Happening, History } from './record.ts';

/** The sources to read a finished history from. */
export interface Source {
  /** Of a user who sees all queues and devices. */
  readonly client: Client;
  /** Runs SQL on the database, for what no operation can tell. */
  readonly sql: (text: string, values: unknown[]) => Promise<object[]>;
}

/** A history before its end is read. */
export type Told = Pick<History, 'stage' | 'logs' | 'feed'>;

/** Adds the state at the end to a history. */
export async function readHistory({ client, sql }: Source, told: Told): Promise<History> {
  const items: FinalItem[] = [];
  const counts = new Map<number, Record<string, number>>();
  for (const { id } of told.stage.queues) {
    items.push(...(await readItems(client, id)));
    counts.set(id, (await client.getQueueStats({ path: { id } })).counts);
  }
  // Later events are not part of it: the log-in of the reader itself, or the late report of a device that woke up after the feed was read.
  const last = Math.max(...told.feed.map(({ id }) => id));
  const record = await readRecord(sql, last);
  const timelines = await readTimelines(client, items, last);
  const { list } = await client.listDevices();
  const busySlots = new Map(list.map(({ id, busySlots: busy }) => [Number(id), busy]));
  return { ...told, items, record, timelines, counts, busySlots };
}

async function readItems(client: Client, queueId: number): Promise<FinalItem[]> {
  const items: FinalItem[] = [];
  for (;;) {
    const body = { sort: [{ field: 'id' }], page: { offset: items.length, length: 1000 } };
    const { list, page } = await client.listWorkItems({ path: { id: queueId }, body });
    items.push(...list.map((item) => asFinal(item, queueId)));
    if (items.length >= page.total || list.length === 0) return items;
  }
}

function asFinal({ id, json, status, version, retryCount }: Schemas['WorkItem'], queueId: number): FinalItem {
  return {
    id: Number(id),
    queueId,
    key: String(json?.['customer']),
    status: String(status),
    version: Number(version),
    retryCount: Number(retryCount),
  };
}

/** The events of all items, also those that nobody knows; operations would answer them by the feed, or for one item each. */
async function readRecord(sql: Source['sql'], last: number): Promise<Happening[]> {
  const rows = await sql(
    `select json_strip_nulls(json_build_object('id', id, 'queueId', nullif(queue_id, 0), 'itemId', nullif(item_id, 0),
       'operation', operation, 'by', actor_id, 'device', device_id, 'from', from_status, 'to', to_status,
       'at', floor(extract(epoch from at) * 1000))) as event, changes
     from events where id <= $1 order by id`,
    [last],
  );
  return (rows as { event: Happening; changes: Happening['changes'] | null }[]).map(({ event, changes }) => ({
    ...event,
    changes: changes ?? undefined,
  }));
}

/** Several at a time: each is a call of its own. */
async function readTimelines(
  client: Client,
  items: readonly FinalItem[],
  last: number,
): Promise<Map<number, number[]>> {
  const timelines = new Map<number, number[]>();
  const left = items.values();
  const readers = Array.from({ length: 4 }, async () => {
    for (const { id, queueId } of left) {
      const { list } = await client.listWorkItemEvents({ path: { id: queueId, workItemId: id } });
      const ids = list.map((event) => Number(event.id));
      timelines.set(
        id,
        ids.filter((event) => event <= last),
      );
    }
  });
  await Promise.all(readers);
  return timelines;
}
