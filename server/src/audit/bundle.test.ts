import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPool, transaction } from '../engine/db.ts';
import { eraseEvents, type Erased } from '../journal/erase.ts';
import { startApp, type Caller } from '../testing/app.ts';
import { seal } from '../testing/audit.ts';
import { keyFile } from '../testing/key-file.ts';
import { recordKeyIn } from './keys.ts';
import { createQueue, eventually } from '../testing/fixtures.ts';

const file = keyFile();
const app = await startApp({ sealingKeyFile: file });
const auditor = await app.user('auditor', ['AAE_Auditor']);
const folder = await mkdtemp(path.join(tmpdir(), 'millrace-test-'));
afterAll(() => rm(folder, { recursive: true }));
const script = path.join(import.meta.dirname, '../../../docs/audit/verify.mjs');

beforeAll(async () => {
  const queue = await createQueue(app);
  for (let part = 0; part < 3; part += 1) {
    await queue.add(5);
    await seal(app, file);
  }
  // More than one portion, in one seal.
  const large = JSON.stringify({ text: 'x'.repeat(1_000_000), odd: '\u2028 é' });
  await app.sql(
    `insert into events (tenant_id, queue_id, item_id, operation, actor_id, changes, at)
     select 1, 0, 0, 'large', 1, $1, now() from generate_series(1, 6)`,
    [large],
  );
  await app.sql(`insert into events (tenant_id, queue_id, item_id, operation, actor_id, at)
    select 1, 0, 0, 'many', 1, now() from generate_series(1, 450)`);
  await seal(app, file);
});

async function take(caller: Caller = auditor.call, body: object = {}): Promise<string> {
  const answer = await caller.exportAudit({ body });
  expect(answer.status, JSON.stringify(answer.error)).toBe(200);
  return (answer.body as unknown as Blob).text();
}

/** Runs the script from the documentation, which knows nothing of Millrace, on a file with these contents. */
async function run(contents: string, ...args: string[]): Promise<{ code: number; said: string }> {
  const bundle = path.join(folder, 'bundle.ndjson');
  await writeFile(bundle, contents);
  return new Promise((resolve) =>
    execFile(process.execPath, [script, bundle, ...args], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), said: stdout + stderr }),
    ),
  );
}

const head = async () => (await app.admin.getAuditHead()).body;

describe('exportAudit', () => {
  it('exportAudit makes a file that the script of the documents proves without Millrace', async () => {
    const bundle = await take();
    const { code, said } = await run(bundle, String((await head()).head));
    expect(said).toMatch(/^Proved: \d+ events \(0 erased by rule\) in seals 1-\d+\nof tenant/);
    expect(code).toBe(0);
    const [sealed] = await app.sql<{ sum: number }>('select sum(events)::int from audit_seals');
    expect(said).toContain(`Proved: ${sealed?.sum} events`);
    const part = await run(await take(app.admin, { fromSeal: 2, toSeal: 3 }));
    expect(part.said).toMatch(/in seals 2-3\n/);
  });

  it('exportAudit is on record twice, with from where it was asked for', async () => {
    await take();
    const query = { operation: 'exportAudit', last: 2 };
    const read = async () => (await app.admin.listEvents({ query })).body.list;
    const list = await eventually(read, (events) => JSON.stringify(events.at(-1)).includes('DONE'));
    const origin = { address: '127.0.0.1', userAgent: 'node' };
    expect(list).toMatchObject([
      { actorId: auditor.id, changes: { state: 'BEGUN', ...origin } },
      { actorId: auditor.id, changes: { state: 'DONE', ...origin } },
    ]);
  });

  it('exportAudit refuses seals that are not there, and who may not see all events', async () => {
    for (const body of [{ fromSeal: 1000 }, { toSeal: 1000 }, { fromSeal: 3, toSeal: 2 }]) {
      const { status, error } = await app.admin.exportAudit({ body });
      expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
    }
    const basic = await app.user('basic');
    expect((await basic.call.exportAudit({ body: {} })).status).toBe(403);
  });

  const line = (part: RegExp) => (lines: string[]) => lines.findIndex((one) => part.test(one));
  const event = line(/^\{"id":.*createWorkItems/);
  const secondSeal = line(/"number\\":2,/);
  const without = (lines: string[], index: number) => lines.toSpliced(index, 1);
  const tampered: Record<string, (lines: string[]) => string[]> = {
    'an event that was altered': (lines) =>
      lines.with(event(lines), String(lines[event(lines)]).replace('"actorId":', '"actorId":1')),
    'an event that was taken out': (lines) => without(lines, event(lines)),
    'an event that was put in': (lines) => lines.toSpliced(event(lines), 0, '{"id":99,"operation":"x"}'),
    'events in another order': (lines) => {
      const [one, other] = lines.splice(event(lines), 2) as [string, string];
      return lines.toSpliced(secondSeal(lines), 0, other, one);
    },
    'an event that was made erased': (lines) =>
      lines.with(event(lines), `{"erased":"${'0'.repeat(64)}","id":1,"by":1,"proofs":[]}`),
    'a seal that was altered': (lines) =>
      lines.with(
        secondSeal(lines),
        String(lines[secondSeal(lines)]).replace('sealedOn\\":\\"2', 'sealedOn\\":\\"1'),
      ),
    'a seal that was taken out with its events': (lines) => {
      const start = secondSeal(lines);
      return lines.toSpliced(
        start,
        lines.findIndex((one, index) => index > start && one.startsWith('{"seal"')) - start,
      );
    },
    'the end cut off': (lines) => lines.slice(0, -20),
    'a part of a line cut off': (lines) => [...lines.slice(0, -5), String(lines.at(-5)).slice(0, 10)],
    'a key put in the place of another': (lines) =>
      lines.with(0, String(lines[0]).replace(/BEGIN.*END/, 'BEGIN PUBLIC KEY-----\\n-----END')),
  };

  it.each(Object.entries(tampered))(
    'exportAudit makes a file in which the script sees %s',
    async (_, tamper) => {
      const lines = (await take()).trimEnd().split('\n');
      const changed = `${tamper([...lines]).join('\n')}\n`;
      expect(changed).not.toBe(`${lines.join('\n')}\n`);
      const { code, said } = await run(changed);
      expect(code, said).not.toBe(0);
    },
  );

  it('exportAudit is proved by a seal and by keys that were noted elsewhere', async () => {
    const bundle = await take(app.admin, { toSeal: 2 });
    const { keys, head: newest } = await head();
    expect((await run(bundle, String(newest))).code).toBe(1);
    const second = (await app.admin.listAuditSeals()).body.list[1];
    const noted = `2:${second?.hash}`;
    expect((await run(bundle, noted, String(keys[0]?.id))).code).toBe(0);
    expect((await run(bundle, noted, '0'.repeat(32))).said).toContain('or its key unknown');
  });

  it('exportAudit tells of events that were erased by rule, and of those that are gone', async () => {
    const [gone, changed, altered] = await app.sql<Erased>(
      `select queue_id::int as "queueId", item_id::int as "itemId", id::int from events where item_id > 0 order by id limit 3`,
    );
    const pool = openPool(app.connection, 1);
    const rule = { operation: 'erasePerson', actorId: 1, reason: 'Their right.' };
    const erased = [gone as Erased, { ...(changed as Erased), left: { reason: 'erased' } }];
    await transaction(pool, async (db, clock) =>
      eraseEvents(
        { db, now: await clock, wake: () => undefined, recordKey: recordKeyIn(file) },
        1,
        erased,
        rule,
      ),
    );
    await pool.end();
    const lines = (await take()).trimEnd().split('\n');
    expect((await run(`${lines.join('\n')}\n`)).said).toContain('(2 erased by rule)');
    const index = lines.findIndex((one) => one.includes(`"id":${changed?.id},"by"`));
    const erasure = String(lines[index]);
    // The present event, the original one, and the signer: none of them can be replaced.
    const forgeries = [
      erasure.replace('erased\\"', 'forged\\"'),
      erasure.replace(/"proofs":\[.*?\]/, '"proofs":[]'),
      erasure.replace(/"signature":"..../, '"signature":"AAAA'),
      erasure.replace(/"event":"\{.*\}"/, '"gone":true'),
      String(lines.find((one) => one.includes(`"id":${gone?.id},"by"`))).replaceAll(
        `${gone?.id}`,
        `${changed?.id}`,
      ),
    ];
    for (const forged of forgeries) {
      expect(forged).not.toBe(erasure);
      const { code, said } = await run(`${lines.with(index, forged).join('\n')}\n`);
      expect([code, said], forged).toEqual([1, expect.stringContaining('NOT AS IT WAS')]);
    }
    await app.sql(`update events set actor_id = 99 where id = ${altered?.id}`);
    expect((await run(await take())).said).toContain('was changed');
    await app.sql(`delete from events where id = ${altered?.id}`);
    expect((await run(await take())).said).toContain(`event ${altered?.id} is missing`);
  });
});
