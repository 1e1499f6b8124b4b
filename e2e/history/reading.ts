import type { App, Caller } from '../../server/src/testing/app.ts';
import { readLogs } from './log.ts';
import type { FinalItem, Happening, History } from './record.ts';

/** Where to read a history when it is over. */
export interface Source {
  readonly app: App;
  readonly caller: Caller;
  readonly queueId: number;
  /** Folder of the logs. */
  readonly logs: string;
  readonly retryLimit: number;
}

export async function readHistory({ app, caller, queueId, logs, retryLimit }: Source): Promise<History> {
  const { counts, recent } = (await caller.getQueueStats({ path: { id: queueId } })).body;
  const finished = { complete: recent.complete, failed: recent.failed };
  const items = await readItems(caller, queueId);
  const timelines = await readTimelines(app, queueId);
  return { retryLimit, logs: readLogs(logs), items, timelines, counts, finished };
}

async function readItems(caller: Caller, queueId: number): Promise<FinalItem[]> {
  const { body } = await caller.listWorkItems({ path: { id: queueId }, body: { page: { length: 10_000 } } });
  return body.list.map(({ id, json, status, version, retryCount }) => ({
    id: Number(id),
    key: String(json?.['customer']),
    status: String(status),
    version: Number(version),
    retryCount: Number(retryCount),
  }));
}

interface EventRow {
  readonly id: number;
  readonly timeline: { by: number; operation: string; from: string | null; to: string | null }[];
}

/** Of all items at once; operations answer them for one item each, and not for those that nobody knows. */
async function readTimelines(app: App, queueId: number): Promise<Map<number, Happening[]>> {
  const rows = await app.sql<EventRow>(
    `select item_id::int as id, json_agg(json_build_object('operation', operation, 'by', actor_id,
       'from', from_status, 'to', to_status) order by id) as timeline
     from events where queue_id = $1 and item_id <> 0 group by item_id`,
    [queueId],
  );
  return new Map(rows.map(({ id, timeline }) => [id, timeline.map(happening)]));
}

function happening({ operation, by, from, to }: EventRow['timeline'][number]): Happening {
  return { operation, by, from: from ?? undefined, to: to ?? undefined };
}
