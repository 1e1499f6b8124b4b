import { describe, expect, test } from 'vitest';
import { startApp } from '../../testing/app.ts';
import { createQueue } from '../../testing/fixtures.ts';
import { beat, finish, held, pathOf, read, timeline } from '../../testing/work.ts';

const app = await startApp();

describe('heartbeatWorkItems', () => {
  test('heartbeatWorkItems extends the lease and notes progress, without a new version', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim(1, { leaseSeconds: 5 });
    const { body } = await queue.consumer.call.heartbeatWorkItems({
      path: queue.path,
      body: { leases: [{ ...held(item), leaseSeconds: 600, progress: { percent: 40, text: 'scored' } }] },
    });
    expect(Date.parse(body.list[0]?.leaseExpiresOn ?? '')).toBeGreaterThan(
      Date.parse(item?.leaseExpiresOn ?? '') + 500_000,
    );
    expect(await read(queue, item)).toMatchObject({
      version: 1,
      progress: { percent: 40, text: 'scored' },
    });
  });

  test('heartbeatWorkItems answers each lease in order, with an error for those that are lost', async () => {
    const queue = await createQueue(app);
    await queue.add(1, 2);
    const [first, second] = await queue.claim(2);
    const leases = [{ ...held(first), version: 9 }, held(second), { id: 999_999, version: 1 }];
    const { body } = await queue.consumer.call.heartbeatWorkItems({ path: queue.path, body: { leases } });
    expect(body.list.map(({ id }) => id)).toEqual([first?.id, second?.id, 999_999]);
    expect(body.list.map(({ error }) => error?.code)).toEqual(['LEASE_LOST', undefined, 'LEASE_LOST']);
  });

  test('heartbeatWorkItems does not extend the lease of another user', async () => {
    const queue = await createQueue(app);
    const other = await app.user('other-runner', ['AAE_Bot Runner']);
    await queue.add(1);
    const [item] = await queue.claim();
    const { body } = await other.call.heartbeatWorkItems({
      path: queue.path,
      body: { leases: [held(item)] },
    });
    expect(body.list[0]?.error?.code).toBe('LEASE_LOST');
  });

  test('heartbeatWorkItems passes the point of no return once, and puts it on record', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const deviceId = await queue.device();
    const [item] = await queue.claim(1, { deviceId });
    const mark = { ...held(item), pointOfNoReturn: true } as const;
    const [first] = await beat(queue, mark);
    expect(first?.pointOfNoReturnOn).toBeDefined();
    const [again] = await beat(queue, mark);
    const [plain] = await beat(queue, held(item));
    expect([again?.pointOfNoReturnOn, plain?.pointOfNoReturnOn]).toEqual(
      Array(2).fill(first?.pointOfNoReturnOn),
    );
    const { pointOfNoReturnOn } = first ?? {};
    expect(await read(queue, item)).toMatchObject({ status: 'IN_PROGRESS', version: 1, pointOfNoReturnOn });
    const passed = (await timeline(queue, item)).filter(
      ({ operation }) => operation === 'heartbeatWorkItems',
    );
    expect(passed).toMatchObject([
      { from: 'IN_PROGRESS', to: 'IN_PROGRESS', deviceId, changes: { pointOfNoReturnOn } },
    ]);
  });

  test('heartbeatWorkItems takes several marks for one item in one call as one', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    const mark = { ...held(item), pointOfNoReturn: true } as const;
    const outcomes = await beat(queue, mark, { ...mark, progress: { percent: 10 } }, held(item));
    expect(new Set(outcomes.map(({ pointOfNoReturnOn }) => pointOfNoReturnOn)).size).toBe(1);
    expect(await read(queue, item)).toMatchObject({ progress: { percent: 10 } });
    expect(await timeline(queue, item)).toHaveLength(3);
  });

  test('heartbeatWorkItems tells the holder that its item was cancelled, and lets it pass no point of no return', async () => {
    const queue = await createQueue(app);
    await queue.add(1, 2);
    const [item, other] = await queue.claim(2);
    await queue.owner.call.cancelWorkItem({ path: pathOf(queue, item), body: { reason: 'sent twice' } });
    const outcomes = await beat(queue, { ...held(item), pointOfNoReturn: true }, held(other));
    expect(outcomes.map(({ cancel }) => cancel)).toEqual([{ by: 'owner', reason: 'sent twice' }, undefined]);
    expect(outcomes[0]?.leaseExpiresOn).toBeDefined();
    expect((await read(queue, item)).pointOfNoReturnOn).toBeUndefined();
  });

  test('heartbeatWorkItems keeps the newest output of the bot with the item, and finishWorkItems the last', async () => {
    const queue = await createQueue(app);
    await queue.add(1, 2);
    const [item, silent] = await queue.claim(2);
    const tail = '😀'.repeat(16_384);
    await beat(queue, { ...held(item), logTail: 'starting' }, held(silent));
    expect((await read(queue, item)).logTail).toBe('starting');
    await beat(queue, { ...held(item), logTail: 'first' }, { ...held(item), logTail: tail });
    await beat(queue, held(item));
    expect((await read(queue, item)).logTail).toBe(tail);
    await finish(queue, { ...held(item), status: 'COMPLETE', logTail: 'done' });
    expect((await read(queue, item)).logTail).toBe('done');
    expect(await read(queue, silent)).not.toHaveProperty('logTail');
    await queue.owner.call.deleteWorkItem({ path: pathOf(queue, item) });
    expect(await app.sql('select tail from work_item_logs where queue_id = $1', [queue.id])).toEqual([]);
  });

  test('heartbeatWorkItems keeps the length of the lease that it does not name', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim(1, { leaseSeconds: 4000.5 });
    const [first] = await beat(queue, held(item));
    expect(Date.parse(first?.leaseExpiresOn ?? '')).toBeGreaterThanOrEqual(
      Date.parse(item?.leaseExpiresOn ?? ''),
    );
    await beat(queue, { ...held(item), leaseSeconds: 60 });
    const [last] = await beat(queue, held(item));
    expect(Date.parse(last?.leaseExpiresOn ?? '')).toBeLessThan(Date.parse(first?.leaseExpiresOn ?? ''));
  });

  test('heartbeatWorkItems keeps the output of a bot with its attempt, and no later one shows it as its own', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    await beat(queue, { ...held(item), logTail: 'the first' });
    await finish(queue, { ...held(item), status: 'NEW' });
    const [again] = await queue.claim();
    const second = await read(queue, again);
    expect(second).not.toHaveProperty('logTail');
    expect(second.attempts?.map(({ logTail }) => logTail)).toEqual(['the first', undefined]);
    await beat(queue, { ...held(again), logTail: 'the second' });
    const written = await read(queue, again);
    expect(written.logTail).toBe('the second');
    expect(written.attempts?.map(({ logTail }) => logTail)).toEqual([undefined, 'the second']);
  });

  test('heartbeatWorkItems refuses more output than is kept, and marks that are taken back', async () => {
    const queue = await createQueue(app);
    for (const more of [{ logTail: 'x'.repeat(16_385) }, { pointOfNoReturn: false as never }]) {
      const leases = [{ id: 1, version: 1, ...more }];
      const { status, error } = await queue.consumer.call.heartbeatWorkItems({
        path: queue.path,
        body: { leases },
      });
      expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
    }
  });
});
