import type { Schemas } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { startApp } from '../../testing/app.ts';
import { createQueue } from '../../testing/fixtures.ts';
import { finish, held, pathOf, read, timeline } from '../../testing/work.ts';

const app = await startApp();
const names = Array.from({ length: 10 }, (_, index) => `text ${index}`);
const large = (mark: string) =>
  Object.fromEntries(names.map((name) => [name, mark.repeat(99_000 / mark.length)]));

/** A queue with a number of items of 990,000 characters, of which between four and five fit into an answer. */
async function queueOfLarge(count: number) {
  const queue = await createQueue(app);
  const { call } = queue.owner;
  const attributes = [...names, 'text 10'].map((name) => ({
    name,
    type: 'TEXT' as const,
    isRequired: false,
  }));
  const model = await call.createWorkItemModel({ body: { name: `Large ${queue.id}`, attributes } });
  const body = { name: `Large ${queue.id}`, workItemModelId: Number(model.body.id), displayColumns: [] };
  const created = await call.createQueue({ body });
  const path = { id: Number(created.body.id) };
  const consumers = await app.admin.listRoles({
    body: { filter: { operator: 'eq', field: 'name', value: 'AAE_Bot Runner' } },
  });
  await call.addQueueConsumer({ path, body: { roleId: Number(consumers.body.list[0]?.id) } });
  const workItems = Array.from({ length: count }, (_, index) => ({
    json: large('abcdefghijk'.charAt(index)),
  }));
  expect((await call.createWorkItems({ path, body: { workItems } })).status).toBe(200);
  const claim = async (more: object) =>
    (await queue.consumer.call.claimWorkItems({ path, body: more })).body.list;
  return { ...queue, id: path.id, path, claim, version: created.body.version as number, model: model.body };
}

describe('large items', () => {
  test('listWorkItems answers fewer of a page than it was asked for, with all totals, and goes on behind them', async () => {
    const { owner, path } = await queueOfLarge(7);
    const list = (offset: number) =>
      owner.call.listWorkItems({ path, body: { page: { offset, length: 700 } } });
    const { body: first } = await list(0);
    const next = expect.any(String);
    expect([first.page, first.list.length]).toEqual([{ offset: 0, total: 7, totalFilter: 7, next }, 5]);
    const behind = { after: first.page.next ?? '' };
    const { body: same } = await owner.call.listWorkItems({ path, body: { page: behind } });
    const { body: second } = await list(first.list.length);
    expect([second.page.total, second.list.length]).toEqual([7, 2]);
    expect([same.page, same.list]).toEqual([{ offset: 0, total: 7 }, second.list]);
    expect([...first.list, ...second.list].map(({ json }) => json?.['text 9']?.toString().at(0))).toEqual([
      'a',
      'b',
      'c',
      'd',
      'e',
      'f',
      'g',
    ]);
  });

  test('claimWorkItems grants no more than one answer holds, and has others take the rest at once', async () => {
    const { claim } = await queueOfLarge(7);
    const [one, two] = await Promise.all([
      claim({ count: 10, waitSeconds: 30 }),
      claim({ count: 10, waitSeconds: 30 }),
    ]);
    expect([one.length, two.length].toSorted((few, many) => few - many)).toEqual([2, 5]);
    expect(new Set([...one, ...two].map(({ id }) => id)).size).toBe(7);
  });

  test('updateWorkItemStatus changes large items a few at a time, whether by ids or by a filter', async () => {
    const { owner, path, id } = await queueOfLarge(7);
    const filter = { operator: 'gt', field: 'id', value: 0 };
    const all = await owner.call.updateWorkItemStatus({
      path,
      body: { action: 'EDIT', json: { 'text 10': 'new' }, filter },
    });
    expect(all.body).toMatchObject({ selected: 7, changed: 7, isMore: false });
    const rows = await app.sql('select id::int as id from work_items where queue_id = $1 order by id', [id]);
    const ids = rows.map((row) => Number(row.id));
    const named = await owner.call.updateWorkItemStatus({
      path,
      body: { action: 'SET_PRIORITY', priority: 9, ids: [...ids, Number(ids.at(-1)) + 1000] },
    });
    expect(named.body).toMatchObject({ selected: 8, changed: 7, refused: 1 });
    const recorded = await app.sql(
      `select count(distinct tx)::int as transactions from events
       where queue_id = $1 and operation = 'updateWorkItemStatus' group by changes is null, changes::text`,
      [id],
    );
    expect(recorded.every(({ transactions }) => Number(transactions) > 1)).toBe(true);
  });

  test('reorderQueues goes through large items to the last of them', async () => {
    const { owner, path, claim, version } = await queueOfLarge(7);
    await owner.call.updateQueue({ path, body: { version, workItemProcessingOrders: ['-text 0'] } });
    await expect.poll(async () => (await owner.call.getQueue({ path })).body.rekeying).toBeFalsy();
    const [last] = await claim({ count: 1 });
    expect(last?.json?.['text 0']?.toString().at(0)).toBe('g');
  });

  test('updateQueue compares large items portion by portion', async () => {
    const { owner, path, version } = await queueOfLarge(7);
    const body = { version, disallowDuplicate: true };
    expect((await owner.call.updateQueue({ path, body })).status).toBe(200);
    const again = await owner.call.createWorkItems({ path, body: { workItems: [{ json: large('g') }] } });
    expect(again.error.code).toBe('DUPLICATE');
  });

  test('updateWorkItemModel looks through large items portion by portion', async () => {
    const { owner, model } = await queueOfLarge(7);
    const attributes = [
      ...(model.attributes ?? []),
      { name: 'new', type: 'TEXT' as const, isRequired: true },
    ];
    const body = { version: model.version as number, attributes, dryRun: true };
    const { body: change } = await owner.call.updateWorkItemModel({ path: { id: Number(model.id) }, body });
    expect(change.invalidItems).toBe(7);
  });

  test('createWorkItems refuses data of more than a million characters, and nothing is created', async () => {
    const { owner, path } = await queueOfLarge(1);
    const json = { ...large('e'), 'text 10': 'é'.repeat(10_001) };
    const { status, error } = await owner.call.createWorkItems({ path, body: { workItems: [{ json }] } });
    expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(error.message).toContain(
      'Item 0: json has 1000001 characters in its values; 1000000 are possible',
    );
    const columns = [...names, 'text 10'];
    const file = new Blob([`${columns.join()}\n${columns.map(() => 'x'.repeat(91_000)).join()}\n`]);
    const upload = await owner.call.createWorkItemsFromFile({
      path,
      query: { onError: 'reject' },
      body: { file },
    });
    expect(upload.error.message).toContain('Row 2, json: has 1001000 characters');
    expect((await owner.call.getQueueStats({ path })).body.counts.NEW).toBe(1);
  });

  test('finishWorkItems and updateWorkItem refuse an output of more than a million characters', async () => {
    const { consumer, path, claim } = await queueOfLarge(1);
    const [item] = await claim({});
    const said = { ...held(item), output: { text: 'o'.repeat(1_000_000) } };
    const results = [{ ...said, status: 'COMPLETE' } as const];
    const { body } = await consumer.call.finishWorkItems({ path, body: { results } });
    expect(body.list[0]?.error?.message).toContain('The output has 1000011 characters; 1000000 are possible');
    const update = { path: { ...path, workItemId: said.id }, body: { ...said, queueId: path.id } };
    expect((await consumer.call.updateWorkItem(update)).status).toBe(400);
  });

  test('updateWorkItem keeps the output of an item that a later change says nothing of', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    const body = { ...held(item), queueId: queue.id, output: { step: 1 } };
    const noted = await queue.consumer.call.updateWorkItem({ path: pathOf(queue, item), body });
    await finish(queue, { ...held(noted.body), status: 'COMPLETE' });
    expect((await read(queue, item)).output).toEqual({ step: 1 });
  });
});

describe('late reports', () => {
  const report = (item: Schemas['WorkItem'] | undefined, output = {}) =>
    ({ ...held(item), status: 'COMPLETE', output }) as const;

  test('finishWorkItems keeps no report of somebody who never held the item, and tells them nothing of it', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const [outcome] = await finish(queue, report(item, { x: 'y' }));
    expect(outcome?.error?.code).toBe('STATUS_CONFLICT');
    expect(outcome?.error?.message).toBe(
      `You do not hold item ${item?.id} of queue ${queue.id}; claim it first.`,
    );
    expect(await timeline(queue, item)).toHaveLength(1);
  });

  test('finishWorkItems keeps what a former holder says once for each version and status, and of a large output its beginning', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    await finish(queue, { ...held(item), status: 'FAILED', failureKind: 'BUSINESS' });
    const late = report(item, { text: '😀'.repeat(20_000) });
    for (const reports of [[late, late], [late], [{ ...late, version: 99 }], [{ ...late, version: 2 }]]) {
      const codes = (await finish(queue, ...reports)).map(({ error }) => error?.code);
      expect(codes).toEqual(
        reports.map(({ version }) => (version === 99 ? 'STATUS_CONFLICT' : 'LATE_REPORT')),
      );
    }
    const kept = (await timeline(queue, item)).filter(({ operation }) => operation === 'lateReport');
    expect(kept.map(({ changes }) => changes?.['version'])).toEqual([1, 2]);
    expect(kept[0]?.reason).toContain('of the 40011 characters of its output the first 16384 are kept');
    expect(kept[0]?.changes).not.toHaveProperty('output');
    expect(String(kept[0]?.changes?.['outputBeginning'])).toMatch(/^\{"text":"(😀)+$/u);
  });
});
