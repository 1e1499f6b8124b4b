import type { App } from './app.ts';
import { createQueue, type QueueFixture } from './fixtures.ts';

/**
 * A queue with many items, written directly to the database: the first half is finished, every tenth of it failed, and the second half
 * waits. The amount of an item is its place, from 1; its customer is one of a hundred, its priority one of ten; they were created a second
 * apart.
 */
export async function createLargeQueue(
  app: App,
  count: number,
  ...settings: Parameters<typeof createQueue>[1][]
): Promise<QueueFixture> {
  const queue = await createQueue(app, ...settings);
  await app.sql(itemsOfLargeQueue, [queue.id, count]);
  await app.sql(countersOfLargeQueue, [queue.id]);
  return queue;
}

const itemsOfLargeQueue = `
  with place as materialized (
    select nextval('work_items_id_seq') as id, place, now() - interval '1 day' + place * interval '1 s' as created_on,
      case when place > $2::int / 2 then 'NEW' when place % 10 = 0 then 'FAILED' else 'COMPLETE' end as status
    from generate_series(1, $2::int) place),
  item as (
    insert into work_items (queue_id, id, status, sort_key, priority, result, failure_kind, ended_on, created_by, created_on,
      updated_by, updated_on, model_version) overriding system value
    select $1::bigint, id, status, int8send(place), place % 10,
      case status when 'COMPLETE' then 'SUCCESS' when 'FAILED' then 'FAILURE' end, case status when 'FAILED' then 'SYSTEM' end,
      case when status <> 'NEW' then created_on + interval '1 minute' end, 1, created_on, 1, created_on, 0
    from place)
  insert into work_item_data (queue_id, item_id, json)
  select $1::bigint, id, json_build_object('customer', 'customer ' || place % 100, 'amount', place, 'due', '2026-03-01')
  from place`;

const countersOfLargeQueue = `
  insert into queue_tallies (queue_id, minute, new, in_progress, complete, failed, deferred, finished_complete, finished_failed, handling_ms)
  select $1::bigint, '-infinity', count(*) filter (where status = 'NEW'), 0, count(*) filter (where status = 'COMPLETE'),
    count(*) filter (where status = 'FAILED'), 0, 0, 0, 0
  from work_items where queue_id = $1`;
