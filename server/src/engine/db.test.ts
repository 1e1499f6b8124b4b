import { afterAll, beforeAll, expect, test } from 'vitest';
import { forAnswer, openPool, sql, transaction, type Db, type Pool } from './db.ts';
import { CommitUnanswered } from './errors.ts';
import { createDatabase } from '../testing/app.ts';
import { startProxy } from '../testing/proxy.ts';

let pool: Pool;
beforeAll(async () => {
  // One connection: a transaction that left it broken, or in the middle of something, would show in the next.
  pool = openPool(await createDatabase(), 1);
  await pool.query('create table numbers (n int primary key)');
});
afterAll(() => pool.end());

const inserted = (n: number) => sql`insert into numbers values (${n})`;
const read = (db: Db) => db.rows<{ n: number }>(sql`select n from numbers order by n`);
const stored = () => transaction(pool, read);

test('what is written goes with the transaction, and what comes after it sees it', async () => {
  const seen = await transaction(pool, async (db) => {
    await db.write(inserted(1));
    await db.write(inserted(2));
    return read(db);
  });
  expect(seen).toEqual([{ n: 1 }, { n: 2 }]);
  expect(await stored()).toEqual(seen);
});

test('times in an answer are texts, the same as a Date would write', async () => {
  const texts = [
    '2026-03-02 08:16:00.123456',
    '2026-12-31 23:59:59.9999',
    '1969-12-31 00:00:00',
    '0001-01-01 00:00:00.5',
    '9999-12-31 23:59:59.05',
    '2026-03-02 08:16:00.12',
  ];
  const times = sql`select t from unnest(${texts.map((text) => `${text}+00`)}::timestamptz[]) with ordinality as l (t, n) order by n`;
  const [dates, answers] = await transaction(pool, (db) =>
    Promise.all([db.rows<{ t: Date }>(times), db.rows<{ t: string }>(forAnswer(sql`${times}`, false))]),
  );
  expect(answers).toEqual(dates.map(({ t }) => ({ t: t.toISOString() })));
  expect(answers[0]).toEqual({ t: '2026-03-02T08:16:00.123Z' });
  const [zone] = await transaction(pool, (db) => {
    const elsewhere = sql`select '2026-03-02 08:16:00+00'::timestamptz as t`;
    return db.rows(sql`set local time zone 'Asia/Kolkata'`).then(() => db.rows(forAnswer(elsewhere, false)));
  });
  expect(zone).toEqual({ t: '2026-03-02T08:16:00.000Z' });
});

test('a write that fails undoes the transaction, which fails with it, though nobody waits for it', async () => {
  const before = await stored();
  const failing = transaction(pool, async (db) => {
    await db.write(inserted(3));
    await db.write(inserted(3));
    return 'done';
  });
  await expect(failing).rejects.toMatchObject({ code: '23505' });
  expect(await stored()).toEqual(before);
});

test('a transaction fails with the write that failed first, not with the statements that could not run after it', async () => {
  const failing = transaction(pool, async (db) => {
    await db.write(sql`insert into numbers values (4), (4)`);
    return read(db);
  });
  await expect(failing).rejects.toMatchObject({ code: '23505' });
});

test('a transaction fails with the statement that failed first, whichever is heard of first', async () => {
  const failing = transaction(pool, (db) =>
    Promise.all([db.row(sql`select 1 / 0 from numbers`), db.row(inserted(6)), db.rows(inserted(7))]),
  );
  await expect(failing).rejects.toMatchObject({ code: '22012' });
});

test('a transaction fails with a statement that failed, also when the work does not mind', async () => {
  const failing = transaction(pool, async (db) => {
    await db.rows(sql`select 1 / 0`).catch(() => undefined);
    return 'done';
  });
  await expect(failing).rejects.toMatchObject({ code: '22012' });
});

test('work that throws undoes what it has written', async () => {
  const before = await stored();
  const failing = transaction(pool, async (db) => {
    await db.write(inserted(5));
    throw new Error('changed its mind');
  });
  await expect(failing).rejects.toThrow('changed its mind');
  expect(await stored()).toEqual(before);
});

test('work that goes on behind the end of its transaction can write nothing more', async () => {
  const before = await stored();
  let goOn = () => undefined as void;
  const paused = new Promise<void>((resolve) => (goOn = resolve));
  let late: Promise<unknown> = Promise.resolve();
  const failing = transaction(pool, async (db) => {
    late = paused.then(() => Promise.all([db.write(inserted(8)), db.rows(inserted(9))]));
    await Promise.all([late, Promise.reject(new Error('the other part failed'))]);
  });
  await expect(failing).rejects.toThrow('the other part failed');
  goOn();
  await expect(late).rejects.toThrow('the transaction has ended');
  expect(await stored()).toEqual(before);
});

test('a transaction whose connection breaks fails with that, and the next one gets another connection', async () => {
  const before = await stored();
  const failing = transaction(pool, async (db) => {
    await db.write(inserted(6));
    return db.rows(sql`select pg_terminate_backend(pg_backend_pid())`);
  });
  await expect(failing).rejects.toMatchObject({ code: '57P01' });
  expect(await stored()).toEqual(before);
});

test('a transaction whose commit is not answered says that it may have been kept', async () => {
  const proxy = await startProxy(await createDatabase());
  const shaky = openPool(proxy.connection, 1);
  await shaky.query('create table numbers (n int primary key)');
  proxy.loseCommits(true);
  await expect(transaction(shaky, (db) => db.write(inserted(7)))).rejects.toThrow(CommitUnanswered);
  proxy.loseCommits(false);
  expect(await transaction(shaky, read)).toEqual([{ n: 7 }]);
  await shaky.end();
});
