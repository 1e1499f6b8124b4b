import { expect, test } from 'vitest';
import { openPool, transaction, type Db } from '../engine/db.ts';
import { startApp } from '../testing/app.ts';
import { atEnd } from '../testing/endings.ts';
import { createQueue } from '../testing/fixtures.ts';
import { addFileKeys, openFileKeys, readFileKeys, takeFileKeys } from './file-keys.ts';

const app = await startApp();
const pool = openPool(app.connection, 1);
atEnd(() => pool.end());

const [jane, joe] = ['\\x01', '\\x02'] as const;

async function holder(queueId: number, itemId: number, hash: string): Promise<void> {
  await app.sql('insert into work_item_hashes (queue_id, hash, item_id) values ($1, $2, $3)', [
    queueId,
    hash,
    itemId,
  ]);
}

const release = (queueId: number) => app.sql('delete from work_item_hashes where queue_id = $1', [queueId]);

async function take(db: Db, queueId: number, hashes: readonly string[]): Promise<void> {
  await openFileKeys(db);
  await addFileKeys(
    db,
    hashes.map((_, index) => index + 2),
    hashes,
  );
  await takeFileKeys(db, queueId);
}

test('a key whose holder is gone since the keys were taken is taken by the first of the rows that are read, and by no other', async () => {
  const { id } = await createQueue(app);
  await holder(id, 4711, jane);
  await transaction(pool, async (db) => {
    await take(db, id, [jane, joe, jane, jane]);
    expect(await readFileKeys(db, id, [2])).toMatchObject([{ row: 2, holderId: 4711 }]);
    await release(id);
    const [second, third] = await readFileKeys(db, id, [3, 4]);
    expect([second?.holderId, third?.holderId]).toEqual([undefined, undefined]);
    expect(await readFileKeys(db, id, [5])).toMatchObject([{ row: 5, holderId: third?.id, holderRow: 4 }]);
  });
  const kept = await app.sql<{ hash: string }>(
    'select hash::text from work_item_hashes where queue_id = $1 order by hash',
    [id],
  );
  expect(kept.map(({ hash }) => hash)).toEqual([jane, joe]);
});

test('a key that somebody else took over since is theirs', async () => {
  const { id } = await createQueue(app);
  await holder(id, 4711, jane);
  await transaction(pool, async (db) => {
    await take(db, id, [jane]);
    await release(id);
    await holder(id, 4712, jane);
    expect(await readFileKeys(db, id, [2])).toMatchObject([{ row: 2, holderId: 4712 }]);
  });
});
