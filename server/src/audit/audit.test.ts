import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { stringifyJson } from '@millrace/api';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { startApp } from '../testing/app.ts';
import { seal, verify } from '../testing/audit.ts';
import { keyFile } from '../testing/key-file.ts';
import { createQueue } from '../testing/fixtures.ts';
import { addTenant } from '../testing/tenant.ts';

const file = keyFile();
const app = await startApp({ sealingKeyFile: file });
const queue = await createQueue(app);

interface Row {
  id: number;
  at: string;
  [name: string]: unknown;
}

const nullFree = (value: unknown) => value ?? null;

/** The canonical form of an event as docs/audit.md describes it, made from its row: a second implementation to compare with. */
function lineOf(row: Row): string {
  const { id, at, changes, queue_id: queueId, item_id: itemId, ...e } = row;
  const members = {
    ...{ id, on: at, operation: e['operation'], actorId: e['actor_id'] },
    ...{ queueId: Number(queueId) || null, itemId: Number(itemId) || null },
    ...{ deviceId: nullFree(e['device_id']), batchId: nullFree(e['batch_id']) },
    ...{ from: nullFree(e['from_status']), to: nullFree(e['to_status']), reason: nullFree(e['reason']) },
  };
  const head = stringifyJson(members).slice(0, -1);
  return `${head},"changes":${(changes as string | null)?.replaceAll(/[\t\r\n]/g, ' ') ?? 'null'}}`;
}

/** The events of the first tenant that are sealed, in the order of the feed. */
function rows(): Promise<Row[]> {
  return app.sql<Row>(`
    select e.id::int, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, operation,
      actor_id::int, queue_id, item_id, device_id::int, batch_id::int, from_status, to_status, reason, changes::text as changes
    from events e where tenant_id = 1 order by tx, id`);
}

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest();

describe('getAuditHead', () => {
  it('getAuditHead tells the newest seal, how many events wait, and the keys; and before, that there is none', async () => {
    expect((await app.admin.getAuditHead()).body).toMatchObject({ waiting: expect.any(Number), keys: [] });
    expect((await app.admin.getAuditHead()).body.head).toBeUndefined();
    await seal(app, file);
    const { body } = await app.admin.getAuditHead();
    expect(body).toMatchObject({ waiting: 0, keys: [{ id: body.seal?.keyId }] });
    expect(body.head).toBe(`${body.seal?.number}:${body.seal?.hash}`);
  });
});

describe('listAuditSeals', () => {
  it('listAuditSeals chains the events of a tenant, each hashed in its canonical form, to the byte', async () => {
    await queue.add(2);
    const odd = 'quote " backslash \\ / bell \u0007 del \u007f line \u2028 é 金 😀 <&>';
    await app.sql(
      `insert into events (tenant_id, queue_id, item_id, operation, actor_id, reason, changes, at)
       values (1, 0, 0, 'odd', 1, $1, $2, '2026-03-02 08:16:00.25+02')`,
      [odd, '{\n\t"b": 1.50,\r\n "a": "\\n é" }'],
    );
    await seal(app, file);
    const { list, isMore } = (await app.admin.listAuditSeals()).body;
    expect([isMore, list.map(({ number }) => number)]).toEqual([false, list.map((_, index) => index + 1)]);
    const events = await rows();
    expect(events.length).toBe(list.reduce((sum, one) => sum + one.events, 0));
    expect(events.map(({ operation }) => operation)).toContain('odd');
    let [previous, from] = ['0'.repeat(64), 0];
    for (const one of list) {
      const own = events.slice(from, (from += one.events));
      expect(one.root).toBe(sha256(Buffer.concat(own.map((row) => sha256(lineOf(row))))).toString('hex'));
      expect(one.previous).toBe(previous);
      previous = one.hash;
    }
    const part = (await app.admin.listAuditSeals({ query: { after: 1, limit: 1 } })).body;
    expect(part).toEqual({ list: list.slice(1, 2), isMore: list.length > 2 });
  });

  it('listAuditSeals has no seal on what may still be joined by an event of a transaction under way', async () => {
    const { waiting } = (await app.admin.getAuditHead()).body;
    expect(waiting).toBe(0);
    const slow = new pg.Client(app.connection);
    await slow.connect();
    await slow.query('begin; select pg_current_xact_id()');
    await queue.add(1);
    await seal(app, file);
    expect((await app.admin.getAuditHead()).body.waiting).toBeGreaterThan(0);
    await slow.query(
      `insert into events (tenant_id, queue_id, item_id, operation, actor_id, at) values (1, 0, 0, 'late', 1, now()); commit`,
    );
    await slow.end();
    await seal(app, file);
    expect((await app.admin.getAuditHead()).body.waiting).toBe(0);
    expect((await verify(app.admin)).problems).toEqual([]);
  });

  it('listAuditSeals has at most 1,000 events in a seal, and goes on where the last one ends', async () => {
    await app.sql(`insert into events (tenant_id, queue_id, item_id, operation, actor_id, at)
      select 1, 0, 0, 'many', 1, now() from generate_series(1, 2500)`);
    await seal(app, file);
    const sizes = (await app.admin.listAuditSeals()).body.list.map(({ events }) => events);
    expect(sizes.slice(-3)).toEqual([1000, 1000, 500]);
    expect(await verify(app.admin)).toMatchObject({ problems: [], events: (await rows()).length });
  });
});

describe('rotateSealingKey', () => {
  it('rotateSealingKey has the next seal signed by another key, and older ones stay proved', async () => {
    const old = (await app.admin.getAuditHead()).body.seal?.keyId;
    expect((await app.admin.rotateSealingKey()).body.retired).toEqual([old]);
    await seal(app, file);
    const { keys, seal: newest } = (await app.admin.getAuditHead()).body;
    expect(newest?.keyId).not.toBe(old);
    expect(keys.map(({ id, retiredOn }) => [id, retiredOn !== undefined])).toEqual([
      [old, true],
      [newest?.keyId, false],
    ]);
    expect((await verify(app.admin)).problems).toEqual([]);
    const query = { operation: 'addSealingKey', last: 1 };
    const { list } = (await app.admin.listEvents({ query })).body;
    expect(list[0]?.changes).toEqual({ keyId: newest?.keyId, replaces: old });
  });

  it('rotateSealingKey is for operators; a server that has lost its file makes another key, on record', async () => {
    const administrator = await app.user('administrator', ['AAE_Admin']);
    expect((await administrator.call.rotateSealingKey()).status).toBe(403);
    rmSync(file);
    await seal(app, file);
    expect((await app.admin.getAuditHead()).body.keys).toHaveLength(3);
    expect((await verify(app.admin)).problems).toEqual([]);
  });
});

describe('getAuditHead without a key', () => {
  it('getAuditHead tells that events wait where a server can have no key, and they are sealed later', async () => {
    await queue.add(1);
    await seal(app, '/dev/null/sealing-key.pem');
    expect((await app.admin.getAuditHead()).body.waiting).toBeGreaterThan(0);
    await seal(app, file);
    expect((await app.admin.getAuditHead()).body.waiting).toBe(0);
  });
});

describe('verifyAudit', () => {
  it('verifyAudit is for those who see all events of the tenant, and each tenant has seals of its own', async () => {
    const basic = await app.user('basic');
    const auditor = await app.user('auditor', ['AAE_Auditor']);
    for (const call of ['getAuditHead', 'listAuditSeals', 'verifyAudit', 'exportAudit'] as const)
      expect((await basic.call[call]()).status, call).toBe(403);
    const foreigner = await addTenant(app, 'second');
    await seal(app, file);
    expect((await verify(auditor.call)).events).toBe((await rows()).length);
    const own = (await foreigner.call.getAuditHead()).body;
    expect(own.seal?.number).toBe(1);
    expect((await verify(foreigner.call)).problems).toEqual([]);
    const ours = (await app.admin.getAuditHead()).body;
    expect(own.tenant).not.toBe(ours.tenant);
  });

  it('verifyAudit refuses a cursor and a head that are none', async () => {
    const answers = [{ after: 'seals' }, { head: '1' }].map((query) => app.admin.verifyAudit({ query }));
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([400, 400]);
  });
});
