import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openPool, transaction } from '../engine/db.ts';
import { eraseEvents, type Erased } from '../journal/erase.ts';
import { createDatabase, startApp, type App } from '../testing/app.ts';
import { seal, verify } from '../testing/audit.ts';
import { keyFile } from '../testing/key-file.ts';
import { recordKeyIn } from './keys.ts';
import { createQueue } from '../testing/fixtures.ts';
import { eventHash } from '../journal/canonical.ts';
import { erasureDigest, erasureText } from '../journal/erasure.rules.ts';
import { hashOf, keyIdOf, sealText, type Seal } from './seal.rules.ts';

const file = keyFile();
const app = await startApp({ sealingKeyFile: file });

/** Writes some events and seals them, twice or more. */
async function fill(one: App = app): Promise<void> {
  const queue = await createQueue(one);
  for (let part = 0; part < 3; part += 1) {
    await queue.add(5);
    await seal(one, file);
  }
}

/** Runs statements like an intruder who rules the database, verifies, and undoes them. */
async function afterwards(statements: string[], head?: string, keys?: string) {
  const copies = ['events', 'audit_seals', 'audit_chains', 'audit_erasures', 'sealing_keys'];
  for (const table of copies) await app.sql(`create table copy_of_${table} as select * from ${table}`);
  try {
    for (const statement of statements) await app.sql(statement);
    return await verify(app.admin, head, keys);
  } finally {
    for (const table of copies) {
      await app.sql(`delete from ${table}`);
      await app.sql(`insert into ${table} overriding system value select * from copy_of_${table}`);
      await app.sql(`drop table copy_of_${table}`);
    }
  }
}

/** An event in the middle of the sealed ones. */
const middle = `(select id from events where tenant_id = 1 order by tx, id offset 4 limit 1)`;

beforeAll(() => fill());

describe('verifyAudit', () => {
  it('verifyAudit finds nothing wrong where nothing was touched', async () => {
    const { problems, events, erased } = await verify(app.admin);
    expect(problems).toEqual([]);
    const [sealed] = await app.sql<{ sum: number }>('select sum(events)::int from audit_seals');
    expect([events, erased]).toEqual([sealed?.sum, 0]);
  });

  const alterations = {
    operation: `'deleteUser'`,
    actor_id: '99',
    device_id: '99',
    from_status: `'FAILED'`,
    to_status: `'FAILED'`,
    reason: `'another'`,
    changes: `'{"a":1}'`,
    batch_id: '99',
    at: `at + interval '1 microsecond'`,
    item_id: 'item_id + 1',
    queue_id: 'queue_id + 1',
  };
  it.each(Object.entries(alterations))(
    'verifyAudit finds an event whose %s was altered',
    async (column, value) => {
      const [event] = await app.sql<{ id: number }>(`select ${middle}::int as id`);
      const found = await afterwards([`update events set ${column} = ${value} where id = ${middle}`]);
      expect(found.problems).toMatchObject([{ kind: 'ALTERED', eventId: event?.id }]);
    },
  );

  it('verifyAudit finds an event that was given another id, or to another tenant', async () => {
    expect((await afterwards([`update events set tenant_id = 99 where id = ${middle}`])).kinds).toEqual([
      'MISSING',
    ]);
    const columns =
      'tenant_id, queue_id, item_id, operation, actor_id, device_id, from_status, to_status, reason, changes, at, tx, batch_id';
    const renumbered = [
      `insert into events (id, ${columns}) overriding system value select 900000, ${columns} from events where id = ${middle}`,
      `delete from events where id = ${middle} and id < 900000`,
    ];
    expect((await afterwards(renumbered)).kinds.toSorted()).toEqual(['INSERTED', 'MISSING']);
  });

  it('verifyAudit finds an event that was deleted, and all events of a seal', async () => {
    expect((await afterwards([`delete from events where id = ${middle}`])).kinds).toEqual(['MISSING']);
    const { kinds } = await afterwards([
      `delete from events using audit_seals s where s.number = 2 and s.tenant_id = 1 and id = any(s.event_ids)`,
    ]);
    expect(new Set(kinds)).toEqual(new Set(['MISSING']));
  });

  it('verifyAudit finds events that were inserted, also as copies of others', async () => {
    const insert = (id: string, from: string) =>
      `insert into events (tenant_id, queue_id, item_id, id, operation, actor_id, at, tx)
       overriding system value select tenant_id, 0, 7000, ${id}, operation, actor_id, at, tx from events where id = ${from}`;
    expect((await afterwards([insert('900000', middle)])).kinds).toEqual(['INSERTED']);
    expect((await afterwards([insert('id', middle)])).kinds).toContain('INSERTED');
  });

  it('verifyAudit finds events that were brought into another order', async () => {
    const within = `update events e set tx = s.last_tx from audit_seals s
      where s.tenant_id = 1 and e.id = ${middle} and e.id = any(s.event_ids)`;
    expect((await afterwards([within])).kinds).toEqual(['REORDERED']);
    const before = `update events set tx = '3' where id = ${middle}`;
    expect((await afterwards([before])).kinds).toEqual(['REORDERED']);
    const behind = `update events set tx = (select tx from audit_chains where tenant_id = 1) where id = ${middle}`;
    expect((await afterwards([behind])).kinds.toSorted()).toEqual(['INSERTED', 'MISSING']);
  });

  it.each([
    ['events', 'events + 1', ['SIGNATURE', 'ROOT', 'CHAIN']],
    ['root', `sha256('x')`, ['SIGNATURE', 'ROOT', 'CHAIN']],
    ['previous', `sha256('x')`, ['SIGNATURE', 'CHAIN', 'CHAIN']],
    ['sealed_on', `sealed_on - interval '1 day'`, ['SIGNATURE', 'CHAIN']],
    ['signature', `sha256('x') || sha256('y')`, ['SIGNATURE']],
    ['key_id', `'0123'`, ['SIGNATURE', 'CHAIN']],
    ['event_hashes', `set_byte(event_hashes, 3, 1)`, ['ROOT', 'ALTERED']],
  ])('verifyAudit finds a seal whose %s was altered', async (column, value, kinds) => {
    const found = await afterwards([
      `update audit_seals set ${column} = ${value} where number = 2 and tenant_id = 1`,
    ]);
    expect(found.kinds.toSorted()).toEqual(kinds.toSorted());
  });

  it('verifyAudit finds seals that were deleted, in the middle and at the end', async () => {
    const middleGone = await afterwards(['delete from audit_seals where number = 2 and tenant_id = 1']);
    expect(middleGone.kinds).toContain('CHAIN');
    const endGone = await afterwards([
      'delete from audit_seals s where number = (select max(number) from audit_seals where tenant_id = 1)',
    ]);
    expect(endGone.kinds).toEqual(['HEAD']);
    expect((await afterwards(['delete from audit_seals'])).kinds).toEqual(['HEAD']);
  });

  it('verifyAudit finds that the end was cut off everywhere only with a seal that was noted elsewhere', async () => {
    const head = (await app.admin.getAuditHead()).body.head as string;
    const [number = ''] = head.split(':');
    const hashBefore = (await app.admin.listAuditSeals()).body.list.at(-2)?.hash;
    const cut = [
      `delete from events e using audit_seals s where s.number = ${number} and s.tenant_id = 1 and e.id = any(s.event_ids)`,
      `delete from events e using audit_seals s where s.number = ${number} and e.tenant_id = 1
         and (e.tx, e.id) > (s.last_tx, s.last_id)`,
      `update audit_chains set number = ${Number(number) - 1}, head = decode('${hashBefore}', 'hex'),
         tx = s.last_tx, event_id = s.last_id from audit_seals s where s.number = ${Number(number) - 1}`,
      `delete from audit_seals where number = ${number}`,
    ];
    expect((await afterwards(cut)).kinds).toEqual([]);
    expect((await afterwards(cut, head)).kinds).toEqual(['HEAD']);
    expect((await verify(app.admin, head)).kinds).toEqual([]);
    expect((await verify(app.admin, `${number}:${'0'.repeat(64)}`)).kinds).toEqual(['HEAD']);
  });

  it('verifyAudit finds a seal that was made anew with a key that is none, or with one put in its place', async () => {
    const [own] = (await app.admin.getAuditHead()).body.keys;
    const { list } = (await app.admin.listAuditSeals()).body;
    const { hash: _, signature: __, ...last } = list.at(-1) as (typeof list)[0];
    const { tenant } = (await app.admin.getAuditHead()).body;
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const forged = { tenant, ...last, sealedOn: '2020-01-01T00:00:00.000Z' } as Seal;
    const signature = sign(null, Buffer.from(sealText(forged)), privateKey).toString('hex');
    const forge = [
      `update audit_seals set sealed_on = '2020-01-01', signature = decode('${signature}', 'hex') where number = ${last.number}`,
      `update audit_chains set head = decode('${hashOf(sealText(forged))}', 'hex')`,
    ];
    expect((await afterwards(forge)).kinds).toEqual(['SIGNATURE']);
    const pem = String(publicKey.export({ type: 'spki', format: 'pem' }));
    const exchange = `update sealing_keys set public_key = '${pem}' where id = '${own?.id}'`;
    expect(new Set((await afterwards([...forge, exchange])).kinds)).toEqual(new Set(['SIGNATURE']));
  });

  it('verifyAudit has nothing in the database that could make a seal', async () => {
    const [, secret = ''] = /-----\n(.*)\n/.exec(readFileSync(file, 'utf8')) ?? [];
    expect(secret.length).toBeGreaterThan(40);
    const keys = await app.sql('select * from sealing_keys');
    expect(JSON.stringify(keys)).not.toContain(secret);
  });
});

describe('verifyAudit after a restore', () => {
  it('verifyAudit stays right when the database counts its transactions anew, and finds what is altered thereafter', async () => {
    const first = await startApp({ sealingKeyFile: file }, await createDatabase());
    await fill(first);
    // Not sealed yet, and of a transaction that the other database has not come to.
    await createQueue(first);
    await first.sql(`update events set tx = (tx::text::bigint + 1000000)::text::xid8
      where (tx, id) > (select tx, event_id from audit_chains where tenant_id = 1)`);
    const again = await startApp({ sealingKeyFile: file }, first.connection);
    expect((await verify(again.admin)).problems).toEqual([]);
    await seal(again, file);
    const query = { operation: 'restartFeed', last: 1 };
    const sealed = expect.any(Number);
    expect((await again.admin.listEvents({ query })).body.list).toMatchObject([{ changes: { sealed } }]);
    const found = await verify(again.admin);
    const [all] = await again.sql<{ count: number }>('select count(*)::int from events');
    expect(found.events).toBe(all?.count);
    expect(found.problems).toEqual([]);
    await again.sql(`delete from events where id = (select min(id) from events)`);
    await again.sql(
      `insert into events (tenant_id, queue_id, item_id, operation, actor_id, at, tx) values (1, 0, 0, 'x', 1, now(), '0')`,
    );
    expect((await verify(again.admin)).kinds.toSorted()).toEqual(['INSERTED', 'MISSING']);
  });
});

describe('verifyAudit after an erasure', () => {
  /** Events of items, with the calls that lead to them. */
  const some = (count: number) =>
    app.sql<Erased>(`select queue_id::int as "queueId", item_id::int as "itemId", id::int from events
      where tenant_id = 1 and item_id > 0 order by id limit ${count}`);
  const rule = { operation: 'erasePerson', actorId: 1, reason: 'Their right to be forgotten.' };

  async function erase(events: readonly Erased[]): Promise<void> {
    const pool = openPool(app.connection, 1);
    const wake = () => undefined;
    await transaction(pool, async (db, clock) =>
      eraseEvents({ db, now: await clock, wake, recordKey: recordKeyIn(file) }, 1, events, rule),
    );
    await pool.end();
  }

  it('verifyAudit counts events that were erased by rule, on record, wholly or in what they said', async () => {
    const [gone, changed] = (await some(2)) as [Erased, Erased];
    await erase([gone, { ...changed, left: { reason: 'erased' } }]);
    const { kinds, erased } = await verify(app.admin);
    expect([kinds, erased]).toEqual([[], 2]);
    await seal(app, file);
    const { list } = (await app.admin.listEvents({ query: { operation: 'erasePerson', last: 1 } })).body;
    expect(list).toMatchObject([{ reason: rule.reason, changes: { erased: 2 } }]);
    await erase([changed]);
    expect(await verify(app.admin)).toMatchObject({ problems: [], erased: 2 });
  });

  it('verifyAudit finds what was altered beside an erasure, and an erasure that was made up or widened', async () => {
    const [erasure] = await app.sql<{ by: number }>('select max(erased_by)::int as by from audit_erasures');
    const widened = [
      `delete from events where id = ${middle}`,
      `insert into audit_erasures (tenant_id, erased_by, event_id)
         select 1, ${erasure?.by}, gone from (select unnest(event_ids) as gone from audit_seals where tenant_id = 1) s
         where not exists (select from events e where e.id = gone)
         on conflict do nothing`,
    ];
    expect((await afterwards(widened)).kinds).toContain('ERASURE');
    const [changed] = await some(1);
    const madeUp = [
      `delete from events where id = ${changed?.id}`,
      `insert into audit_erasures (tenant_id, erased_by, event_id) values (1, 1, ${changed?.id})`,
    ];
    expect(new Set((await afterwards(madeUp)).kinds)).toEqual(new Set(['MISSING', 'ERASURE']));
    const recordGone = await afterwards([`delete from events where operation = 'erasePerson'`]);
    expect(new Set(recordGone.kinds)).toEqual(new Set(['MISSING', 'ERASURE']));
  });

  /** Alters an event, and records that it was erased in that way, as far as access to the database alone allows. */
  async function excuse(signer: (text: string) => { keyId: string; signature: string }) {
    const [event] = await app.sql<{ id: number; before: string; hash: string }>(`
      select e.id::int, encode(${eventHash.text}, 'hex') as before,
        encode((select ${eventHash.text} from (select e.id, e.at, e.operation, 99 as actor_id, e.queue_id, e.item_id, e.device_id,
          e.batch_id, e.from_status, e.to_status, e.reason, e.changes) e), 'hex') as hash
      from events e where id = ${middle}`);
    const erasure = event as NonNullable<typeof event>;
    const [place] = await app.sql<{ by: number; tenant: string }>(
      'select max(e.id)::int + 1000 as by, min(t.uuid::text) as tenant from events e, tenants t where t.id = 1',
    );
    const { by, tenant } = place as NonNullable<typeof place>;
    const { keyId } = signer('');
    const { signature } = signer(erasureText({ tenant, by, keyId }, erasure));
    const changes = JSON.stringify({ erased: 1, digest: erasureDigest([erasure]) });
    return [
      `update events set actor_id = 99 where id = ${erasure.id}`,
      `insert into events (tenant_id, queue_id, item_id, id, operation, actor_id, reason, changes, at)
         overriding system value values (1, 0, 0, ${by}, 'eraseSensitiveValues', 1, 'A request.', '${changes}', now())`,
      `insert into audit_erasures (tenant_id, erased_by, event_id, before, hash, key_id, signature) values
         (1, ${by}, ${erasure.id}, decode('${erasure.before}', 'hex'), decode('${erasure.hash}', 'hex'), '${keyId}',
          decode('${signature}', 'hex'))`,
    ];
  }

  it('verifyAudit finds an event that was altered with an erasure to excuse it, which no server has signed', async () => {
    const known = (await app.admin.getAuditHead()).body.keys.map(({ id }) => id);
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const by = (keyId: string) => (text: string) => {
      return { keyId, signature: sign(null, Buffer.from(text), privateKey).toString('hex') };
    };
    const forged = await afterwards(await excuse(by(String(known[0]))));
    expect(new Set(forged.kinds)).toEqual(new Set(['ALTERED', 'ERASURE']));
    const pem = String(publicKey.export({ type: 'spki', format: 'pem' }));
    const own = await excuse(by(keyIdOf(pem)));
    const addKey = `insert into sealing_keys (id, public_key, created_on) values ('${keyIdOf(pem)}', '${pem}', now())`;
    expect(new Set((await afterwards(own)).kinds)).toEqual(new Set(['ALTERED', 'ERASURE']));
    // A key that was added as well shows to a person who has noted the others.
    const noted = await afterwards([...own, addKey], undefined, known.join(','));
    expect(new Set(noted.kinds)).toEqual(new Set(['ALTERED', 'ERASURE']));
  });

  it('verifyAudit finds what was altered before an erasure or after it, and a signature of another event', async () => {
    await fill();
    const [one, other] = (await some(5)).slice(-2) as [Erased, Erased];
    await app.sql(`update events set reason = 'altered' where id = ${one.id}`);
    await erase([
      { ...one, left: { reason: 'erased' } },
      { ...other, left: { reason: 'erased' } },
    ]);
    const { problems } = await verify(app.admin);
    expect(problems).toMatchObject([{ kind: 'ALTERED', eventId: one.id }]);
    const after = [`update events set reason = 'altered' where id = ${other.id}`];
    expect((await afterwards(after)).problems).toMatchObject([
      { eventId: one.id },
      { kind: 'ALTERED', eventId: other.id },
    ]);
    const moved = `update audit_erasures a set before = b.before, hash = b.hash, signature = b.signature from audit_erasures b
      where a.event_id = ${one.id} and b.event_id = ${other.id}`;
    expect((await afterwards([moved])).kinds).toContain('ERASURE');
  });
});
