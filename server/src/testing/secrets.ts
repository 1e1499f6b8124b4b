import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { Schemas } from '@millrace/api';
import type { Config } from '../engine/config.ts';
import { startApp, type App, type TestUser } from './app.ts';

export const newMasterKey = () => randomBytes(32).toString('base64');

/** The application with a master key. */
export const startSealedApp = (settings: Partial<Config> = {}) =>
  startApp({ masterKey: newMasterKey(), ...settings });

/** The tables with a text anywhere in a row, as a dump of the database would show it. */
export async function tablesWith(app: App, text: string): Promise<string[]> {
  const tables = await app.sql<{ name: string }>(
    `select quote_ident(tablename) as name from pg_tables where schemaname = 'public' order by 1`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await app.sql(`select from ${name} t where strpos(t::text, $1) > 0 limit 1`, [text]);
    if (rows.length > 0) found.push(name);
  }
  return found;
}

/** The mask in place of a value. */
export const mask = { masked: '•••' };

const customerAttributes = [
  { name: 'customer', type: 'TEXT', sensitivity: 'PERSONAL' },
  { name: 'amount', type: 'NUMBER', isRequired: false },
  { name: 'iban', type: 'TEXT', isRequired: false, sensitivity: 'SECRET' },
  { name: 'born', type: 'DATE', isRequired: false, sensitivity: 'PERSONAL' },
  { name: 'score', type: 'NUMBER', isRequired: false, sensitivity: 'PERSONAL' },
] as const;

let made = 0;

/** A queue of items about customers; the administrator made it, and `runner` works on it. */
export async function createCustomers(
  app: App,
  runner: TestUser,
  settings: Partial<Schemas['NewQueue']> = {},
  attributes: readonly Schemas['WorkItemAttribute'][] = customerAttributes,
) {
  made += 1;
  const name = `Customers ${made}`;
  const model = await app.admin.createWorkItemModel({ body: { name, attributes: [...attributes] } });
  expect(model.status, JSON.stringify(model.error)).toBe(200);
  const modelId = Number(model.body.id);
  const queue = await app.admin.createQueue({ body: { name, workItemModelId: modelId, ...settings } });
  expect(queue.status, JSON.stringify(queue.error)).toBe(200);
  const path = { id: Number(queue.body.id) };
  const role = (await app.admin.listRoles()).body.list.find((one) => one.name === 'AAE_Bot Runner');
  await app.admin.addQueueConsumer({ path, body: { roleId: Number(role?.id) } });
  const add = async (...records: Record<string, unknown>[]) => {
    const workItems = records.map((json) => ({ json }));
    const created = await app.admin.createWorkItems({ path, body: { workItems } });
    expect(created.status, JSON.stringify(created.error)).toBe(200);
    return created.body.list;
  };
  const claim = async (count = 1) => (await runner.call.claimWorkItems({ path, body: { count } })).body.list;
  const itemPath = (item: Schemas['WorkItem'] | undefined) => ({ ...path, workItemId: item?.id as number });
  return { ...path, path, modelId, name, add, claim, itemPath };
}
