import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPool, transaction, type Pool } from '../db.ts';
import { createDatabase } from '../testing/app.ts';
import { forgetRevokedTokens } from './job.ts';
import { addSigningKey } from './signing-keys.ts';
import { insertLoginFailure, insertRevokedToken, selectSigningKey } from './sql.ts';

let pool: Pool;
const start = new Date('2024-03-01T09:30:00Z');
const after = (minutes: number) => new Date(start.getTime() + minutes * 60_000);
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

beforeAll(async () => {
  pool = openPool(await createDatabase(), 2);
});

afterAll(() => pool.end());

const run = (now: Date) =>
  transaction(pool, (db) => forgetRevokedTokens.run({ db, now, log, woken: new Map<number, number>() }));

async function idsOf(table: string, column: string): Promise<unknown[]> {
  const { rows } = await pool.query<Record<string, unknown>>(`select ${column} from ${table} order by 1`);
  return rows.map((row) => row[column]);
}

describe('forgetRevokedTokens', () => {
  it('forgetRevokedTokens keeps a revoked token until no server can take it for valid any more', async () => {
    await transaction(pool, (db) =>
      insertRevokedToken(db, { tokenId: 'a', userId: 1, tenantUuid: '', expiresOn: after(20) }),
    );
    await run(after(39));
    expect(await idsOf('revoked_tokens', 'id')).toEqual(['a']);
    await run(after(41));
    expect(await idsOf('revoked_tokens', 'id')).toEqual([]);
  });

  it('forgetRevokedTokens keeps a signing key for forty minutes after the next, and the newest for ever', async () => {
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

  it('forgetRevokedTokens forgets failed logins a quarter of an hour after the last', async () => {
    await transaction(pool, (db) => insertLoginFailure(db, 'jdoe', after(0)));
    await transaction(pool, (db) => insertLoginFailure(db, 'JDOE', after(5)));
    await run(after(19));
    expect(await idsOf('login_failures', 'failures')).toEqual([2]);
    await run(after(21));
    expect(await idsOf('login_failures', 'failures')).toEqual([]);
  });

  it('forgetRevokedTokens comes again after a minute', async () => {
    expect(await run(after(0))).toBe(60_000);
  });
});
