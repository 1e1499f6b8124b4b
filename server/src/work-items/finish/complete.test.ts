import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { startApp } from '../../testing/app.ts';
import { createQueue, eventually } from '../../testing/fixtures.ts';
import { beat, finish, held, read } from '../../testing/work.ts';

const app = await startApp();

const unlike = ['queue_id', 'id', 'item_id', 'sort_key', 'at', 'tx', 'minute', 'handling_ms', 'device_id'];
/** A row without the values that differ by item, queue and time. */
const comparable = (row: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(row).filter(
      ([name, value]) =>
        !unlike.includes(name) && !(value instanceof Date) && !name.endsWith('_by') && name !== 'actor_id',
    ),
  );

/**
 * All rows of an item that its holder completes: in the quick way, or in the way of all other reports. Two reports on an item in one call
 * go the latter way.
 */
async function completed(way: 'quick' | 'long') {
  const queue = await createQueue(app, { disallowDuplicate: true, duplicateScope: 'OPEN' });
  await queue.add(1);
  const deviceId = await queue.device();
  const [item] = await queue.claim(1, { deviceId });
  await beat(queue, { ...held(item), progress: { percent: 50 }, pointOfNoReturn: true });
  await app.sql(
    `update work_items set comment = 'before', error = 'once failed', lapse_count = 2, cancel_requested_on = now(), cancel_requested_by = 1,
       cancel_reason = 'changed my mind', output = '{"before":1}', retry_count = 1 where id = $1`,
    [item?.id],
  );
  const report = {
    ...held(item),
    status: 'COMPLETE',
    result: 'SUCCESS',
    output: { total: 5 },
    resultText: 'done',
    logTail: 'the last line',
  } as const;
  const [outcome] = await finish(queue, ...(way === 'quick' ? [report] : [report, report]));
  const ofItem = async (table: string) =>
    (await app.sql(`select * from ${table} where queue_id = $1 and item_id = $2`, [queue.id, item?.id])).map(
      comparable,
    );
  const [row] = await app.sql('select * from work_items where id = $1', [item?.id]);
  const counters = await app.sql(
    `select sum(new)::int, sum(in_progress)::int, sum(complete)::int as complete, sum(finished_complete)::int as finished,
       sum(handling_ms) > 0 as took, count(handling_times)::int as timed from queue_tallies where queue_id = $1`,
    [queue.id],
  );
  return {
    outcome: { ...outcome, id: undefined },
    item: comparable(row ?? {}),
    unset: Object.entries(row ?? {}).flatMap(([name, value]) => (value === null ? [name] : [])),
    isByHolder:
      row?.['updated_by'] === row?.['reported_by'] &&
      String(row?.['ended_on']) === String(row?.['updated_on']),
    events: (await ofItem('events')).filter(({ operation }) => operation === 'finishWorkItems'),
    isOnDevice: row?.['device_id'] === String(deviceId),
    logs: await ofItem('work_item_logs'),
    keys: await ofItem('work_item_hashes'),
    counters,
  };
}

test('finishWorkItems leaves the same of a completed item, its timeline, counters and key, whichever way the report goes', async () => {
  const [quick, long] = [await completed('quick'), await completed('long')];
  expect(quick.outcome).toMatchObject({ status: 'COMPLETE', version: 2 });
  expect(quick.item).toMatchObject({
    status: 'COMPLETE',
    output: { total: 5 },
    comment: 'before',
    result_text: 'done',
  });
  expect(quick).toMatchObject({ isByHolder: true, isOnDevice: true, keys: [], events: [{ changes: null }] });
  expect(quick).toEqual(long);
});

test('finishWorkItems completes no item for somebody who does not hold it, though id and version are right', async () => {
  const queue = await createQueue(app);
  await queue.add(1);
  const [item] = await queue.claim();
  const other = await app.user('another runner', ['AAE_Bot Runner']);
  const results = [{ ...held(item), status: 'COMPLETE' as const }];
  const { body } = await other.call.finishWorkItems({ path: queue.path, body: { results } });
  expect(body.list).toMatchObject([{ error: { code: 'STATUS_CONFLICT' } }]);
  expect(await read(queue, item)).toMatchObject({ status: 'IN_PROGRESS', version: 1 });
});

test('finishWorkItems completes no item that changes while it waits for it', async () => {
  const queue = await createQueue(app);
  await queue.add(1);
  const [item] = await queue.claim();
  const other = new pg.Client(app.connection);
  await other.connect();
  onTestFinished(() => other.end());
  await other.query('begin');
  await other.query('update work_items set version = version + 1 where id = $1', [item?.id]);
  const report = finish(queue, { ...held(item), status: 'COMPLETE' });
  await eventually(
    () =>
      app.sql(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`),
    ({ length }) => length > 0,
  );
  await other.query('commit');
  expect(await report).toMatchObject([{ error: { code: 'LATE_REPORT' } }]);
  expect(await read(queue, item)).toMatchObject({ status: 'IN_PROGRESS', version: 2 });
});

test('finishWorkItems completes what it can of a call, and refuses the rest of it', async () => {
  const queue = await createQueue(app);
  await queue.add(1, 2, 3, 4);
  const [first, second, third] = await queue.claim(3);
  const [another] = await app.sql<{ id: number }>(
    `select id::int from work_items where queue_id = $1 and status = 'NEW'`,
    [queue.id],
  );
  const complete = { status: 'COMPLETE' } as const;
  const outcomes = await finish(
    queue,
    { ...held(third), ...complete },
    { id: another?.id as number, version: 0, ...complete },
    { ...held(first), version: 0, ...complete },
    { ...held(second), status: 'FAILED', failureKind: 'BUSINESS', error: 'no such customer' },
    { ...held(first), ...complete },
  );
  expect(outcomes).toMatchObject([
    { id: third?.id, status: 'COMPLETE', version: 2 },
    { id: another?.id, error: { code: 'STATUS_CONFLICT' } },
    { id: first?.id, error: { code: 'STATUS_CONFLICT' } },
    { id: second?.id, status: 'FAILED' },
    { id: first?.id, status: 'COMPLETE', version: 2 },
  ]);
});
