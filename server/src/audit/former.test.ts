import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { eventHash } from '../journal/canonical.ts';
import { formerDigest } from '../journal/erasure.rules.ts';
import { startApp } from '../testing/app.ts';
import { seal, verify } from '../testing/audit.ts';
import { createQueue } from '../testing/fixtures.ts';
import { keyFile } from '../testing/key-file.ts';

const file = keyFile();
const app = await startApp({ sealingKeyFile: file });
const root = path.join(import.meta.dirname, '../../..');

/** The part of the migration that introduces signed erasures. */
const [, migration = ''] = /(alter table audit_erasures add column before[^]*)/.exec(
  readFileSync(path.join(root, 'server/migrations/0030_deleted_queues.sql'), 'utf8'),
) ?? [''];

const added = ['before', 'key_id', 'signature', 'of_former_kind'];

/** Restores the table as it was before, with its contents. */
const dropColumns = () =>
  app.sql(`alter table audit_erasures ${added.map((column) => `drop column ${column}`).join(', ')}`);

interface Change {
  readonly id: number;
  /** The rest of its reason; without it nothing is left of the event. */
  readonly left?: string;
}

/** Erases events like the versions that signed nothing. */
async function eraseFormerly(changes: readonly Change[]): Promise<number> {
  const erasures: { id: number; hash?: string | undefined }[] = [];
  for (const { id, left } of changes) {
    const statement =
      left === undefined
        ? `delete from events where id = ${id} returning null as hash`
        : `update events e set changes = null, reason = '${left}' where id = ${id} returning encode(${eventHash.text}, 'hex') as hash`;
    const [row] = await app.sql<{ hash: string | null }>(statement);
    erasures.push({ id, hash: row?.hash ?? undefined });
  }
  const record = JSON.stringify({ erased: erasures.length, digest: formerDigest(erasures) });
  const [event] = await app.sql<{ id: number }>(
    `insert into events (tenant_id, queue_id, item_id, operation, actor_id, reason, changes, at)
     values (1, 0, 0, 'eraseSensitiveValues', 1, 'A request.', $1, now()) returning id::int`,
    [record],
  );
  for (const { id, hash } of erasures)
    await app.sql(
      `insert into audit_erasures (tenant_id, erased_by, event_id, hash) values (1, $1, $2, decode($3, 'hex'))`,
      [event?.id, id, hash ?? null],
    );
  return Number(event?.id);
}

const itemEvents = async () => {
  const rows = await app.sql<{ id: number }>(
    'select id::int from events where tenant_id = 1 and item_id > 0 order by id',
  );
  return rows.map(({ id }) => id);
};

const signings = async () =>
  (await app.admin.listEvents({ query: { operation: 'signErasures', last: 10 } })).body.list;

beforeAll(async () => {
  const queue = await createQueue(app);
  for (let event = 0; event < 8; event += 1) await queue.add(1);
  await seal(app, file);
});

describe('verifyAudit after an update from a version that signed no erasures', () => {
  it('verifyAudit counts what that version erased, once the server has signed it, on record, and so does the script', async () => {
    const [gone, changed, twice, later] = (await itemEvents()) as [number, number, number, number];
    await eraseFormerly([{ id: gone }, { id: changed, left: 'erased' }, { id: twice, left: 'once' }]);
    await eraseFormerly([{ id: twice, left: 'twice' }]);
    await seal(app, file);
    await eraseFormerly([{ id: later }]);
    await dropColumns();
    await app.sql(migration);
    expect((await verify(app.admin)).problems).not.toEqual([]);
    await seal(app, file);
    expect(await verify(app.admin)).toMatchObject({ problems: [], erased: 4 });
    expect(await signings()).toMatchObject([
      { changes: { erased: 3, isLast: false } },
      { changes: { erased: 1, isLast: false } },
      { changes: { erased: 1, isLast: true } },
    ]);
    const folder = await mkdtemp(path.join(tmpdir(), 'millrace-test-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const bundle = path.join(folder, 'bundle.ndjson');
    const answer = await app.admin.exportAudit({ body: {} });
    await writeFile(bundle, await (answer.body as unknown as Blob).text());
    const script = path.join(root, 'docs/audit/verify.mjs');
    const { stdout } = await promisify(execFile)(process.execPath, [script, bundle]);
    expect(stdout).toContain('(4 erased by rule)');
  });

  it('verifyAudit finds what was altered since such an erasure, and an event taken off its record', async () => {
    const { id } =
      (await app.sql<{ id: number }>(`select id::int from events where reason = 'twice'`))[0] ?? {};
    await app.sql(`update events set reason = 'thrice' where id = ${id}`);
    expect((await verify(app.admin)).problems).toMatchObject([{ kind: 'ALTERED', eventId: id }]);
    await app.sql(`update events set reason = 'twice' where id = ${id}`);
    expect((await verify(app.admin)).problems).toEqual([]);
  });

  it('verifyAudit finds an erasure that was made up later as one of that version', async () => {
    const [id] = (await itemEvents()).slice(-1) as [number];
    await markFormer(() => eraseFormerly([{ id }]));
    await seal(app, file);
    await seal(app, file);
    const { kinds } = await verify(app.admin);
    expect(new Set(kinds)).toEqual(new Set(['MISSING', 'ERASURE']));
    expect(await signings()).toHaveLength(3);
  });
});

/** Marks recorded erasures as the migration marks those that it finds. */
async function markFormer(erase: () => Promise<number>): Promise<void> {
  const by = await erase();
  await app.sql(`update audit_erasures set of_former_kind = true where erased_by = ${by}`);
}
