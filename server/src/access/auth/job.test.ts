import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPool, transaction, type Pool } from '../../engine/db.ts';
import { createDatabase } from '../../testing/app.ts';
import { forgetRevokedSessions } from './job.ts';
import { addSigningKey } from './signing-keys.ts';
import { insertRevokedSession } from './session-store.ts';
import { countFailure } from './failures.ts';
import { selectSigningKey } from './sql.ts';
import { keyless } from '../../testing/keyless.ts';

let pool: Pool;
const network = '10.0.0.1';
const start = new Date('2024-03-01T09:30:00Z');
const after = (minutes: number) => new Date(start.getTime() + minutes * 60_000);
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

beforeAll(async () => {
  pool = openPool(await createDatabase(), 2);
});

afterAll(() => pool.end());

const run = (now: Date) =>
  transaction(pool, (db) => forgetRevokedSessions.run({ db, now, log, wake: () => undefined, ...keyless }));

async function idsOf(table: string, column: string): Promise<unknown[]> {
  const { rows } = await pool.query<Record<string, unknown>>(`select ${column} from ${table} order by 1`);
  return rows.map((row) => row[column]);
}

describe('forgetRevokedSessions', () => {
  it('forgetRevokedSessions keeps a revoked session until no server can take a token of it for valid any more', async () => {
    await transaction(pool, (db) => insertRevokedSession(db, 'a', after(0)));
    await run(after(39));
    expect(await idsOf('revoked_sessions', 'id')).toEqual(['a']);
    await run(after(41));
    expect(await idsOf('revoked_sessions', 'id')).toEqual([]);
  });

  it('forgetRevokedSessions keeps a signing key for forty minutes after the next, and the newest for ever', async () => {
    const add = (minutes: number) => transaction(pool, (db) => addSigningKey(db, after(minutes)));
    const keys = [await add(0), await add(10), await add(15)];
    await run(after(49));
    expect(new Set(await idsOf('signing_keys', 'id'))).toEqual(new Set(keys));
    await run(after(51));
    expect(new Set(await idsOf('signing_keys', 'id'))).toEqual(new Set(keys.slice(1)));
    await run(after(100_000));
    expect(await idsOf('signing_keys', 'id')).toEqual([keys[2]]);
    expect((await transaction(pool, (db) => selectSigningKey(db)))?.id).toBe(keys[2]);
  });

  it('forgetRevokedSessions forgets failed logins a quarter of an hour after the last', async () => {
    await transaction(pool, (db) => countFailure(db, { username: 'jdoe', network }, after(0)));
    await transaction(pool, (db) => countFailure(db, { username: 'JDOE', network }, after(5)));
    await run(after(19));
    expect(await idsOf('login_failures', 'failures')).toEqual([2, 2, 2]);
    await run(after(21));
    expect(await idsOf('login_failures', 'failures')).toEqual([]);
  });

  it('forgetRevokedSessions forgets sign-ons that nobody has finished in time', async () => {
    await pool.query(`insert into sign_ons values ('\\x01', 'acme', 'https://here', null, $1, $2)`, [
      network,
      after(10),
    ]);
    await run(after(9));
    expect(await idsOf('sign_ons', 'provider')).toEqual(['acme']);
    await run(after(11));
    expect(await idsOf('sign_ons', 'provider')).toEqual([]);
  });

  it('forgetRevokedSessions comes again after a minute', async () => {
    expect(await run(after(0))).toBe(60_000);
  });
});
