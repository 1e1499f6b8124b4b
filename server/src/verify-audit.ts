import { parseArgs } from 'node:util';
import { stringifyJson, type Id, type Input, type Output } from '@millrace/api';
import { readHead } from './audit/seals.ts';
import { verifyPart } from './audit/verify.ts';
import { openPool, sql, transaction, type Pool } from './engine/db.ts';
import { fail, withDatabase } from './this-machine.ts';

type Part = Output<'verifyAudit'>;

interface Asked {
  readonly head?: string | undefined;
  readonly keys?: string | undefined;
}

/** Verifies the audit trails of all tenants, or of one, without a server. Standard output gets a line of JSON for each. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { tenant: { type: 'string' }, head: { type: 'string' }, keys: { type: 'string' } },
  });
  await withDatabase(async (connection) => {
    const pool = openPool(connection, 1);
    try {
      const tenants = await selectTenants(pool, values.tenant);
      if (tenants.length === 0) throw new Error(`There is no tenant named ${String(values.tenant)}.`);
      if (values.head !== undefined && tenants.length > 1)
        throw new Error('A seal is that of one tenant: say with --tenant whose it is.');
      for (const { id, name } of tenants)
        process.stdout.write(`${stringifyJson({ tenant: name, ...(await verifyAll(pool, id, values)) })}\n`);
    } finally {
      await pool.end();
    }
  });
}

function selectTenants(pool: Pool, name: string | undefined): Promise<{ id: Id; name: string }[]> {
  return transaction(pool, (db) =>
    db.rows<{ id: Id; name: string }>(
      sql`select id, name from tenants where ${name ?? null}::text is null or name = ${name ?? null} order by id`,
    ),
  );
}

async function verifyAll(pool: Pool, tenantId: Id, asked: Asked) {
  const found = { seals: 0 as Part['seals'], events: 0, erased: 0, problems: [] as Part['problems'] };
  const keys = new Set<string>();
  let after: string | undefined;
  do {
    const query: Asked & { after?: string | undefined } = { ...asked, after };
    const part: Part = await transaction(pool, (db) =>
      verifyPart({ db, tenantId }, query as Input<'verifyAudit'>['query']),
    );
    found.seals = part.seals;
    found.events += part.events;
    found.erased += part.erased;
    found.problems.push(...part.problems);
    for (const key of part.keys) keys.add(key);
    after = part.cursor;
  } while (after !== undefined);
  const { head, waiting } = await transaction(pool, (db) => readHead(db, tenantId));
  return { ...found, keys: [...keys], waiting, ...(head && { head }) };
}

main().catch(fail);
