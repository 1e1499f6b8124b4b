import { expect } from 'vitest';
import type { App, Caller } from '../../server/src/testing/app.ts';
import { readLines, readLogs } from './log.ts';
import type { FinalItem, Happening, History, Stage, Told } from './record.ts';

/** Where to read a history when it is over. */
export interface Source {
  readonly app: App;
  /** Sees all queues and devices. */
  readonly caller: Caller;
  readonly stage: Stage;
  /** Folder of the logs. */
  readonly logs: string;
  /** File of what was read in the feed. */
  readonly feed: string;
}

export async function readHistory({ app, caller, stage, logs, feed }: Source): Promise<History> {
  const told = readLines<Told>(feed);
  const items: FinalItem[] = [];
  const counts = new Map<number, Record<string, number>>();
  for (const { id } of stage.queues) {
    items.push(...(await readItems(caller, id)));
    counts.set(id, (await caller.getQueueStats({ path: { id } })).body.counts);
  }
  // What happened later, such as the log-in of whoever reads this, is not part of it.
  const record = await readRecord(app, Math.max(...told.map(({ id }) => id)));
  const timelines = await readTimelines(caller, items);
  const { list } = (await caller.listDevices()).body;
  const busySlots = new Map(list.map(({ id, busySlots: busy }) => [Number(id), busy]));
  return { stage, logs: readLogs(logs), items, record, feed: told, timelines, counts, busySlots };
}

async function readItems(caller: Caller, queueId: number): Promise<FinalItem[]> {
  const { body } = await caller.listWorkItems({ path: { id: queueId }, body: { page: { length: 10_000 } } });
  expect(body.list).toHaveLength(body.page.total);
  return body.list.map(({ id, json, status, version, retryCount }) => ({
    id: Number(id),
    queueId,
    key: String(json?.['customer']),
    status: String(status),
    version: Number(version),
    retryCount: Number(retryCount),
  }));
}

/** Of all items, also those that nobody knows; operations answer them by the feed, or for one item each. */
async function readRecord(app: App, last: number): Promise<Happening[]> {
  const rows = await app.sql<{ event: Happening; changes: Happening['changes'] | null }>(
    `select json_strip_nulls(json_build_object('id', id, 'queueId', nullif(queue_id, 0), 'itemId', nullif(item_id, 0),
       'operation', operation, 'by', actor_id, 'device', device_id, 'from', from_status, 'to', to_status,
       'at', floor(extract(epoch from at) * 1000))) as event, changes
     from events where id <= $1 order by id`,
    [last],
  );
  return rows.map(({ event, changes }) => ({ ...event, changes: changes ?? undefined }));
}

async function readTimelines(caller: Caller, items: readonly FinalItem[]): Promise<Map<number, number[]>> {
  const timelines = new Map<number, number[]>();
  for (const { id, queueId } of items) {
    const { body } = await caller.listWorkItemEvents({ path: { id: queueId, workItemId: id } });
    timelines.set(
      id,
      body.list.map((event) => Number(event.id)),
    );
  }
  return timelines;
}
