import { parseJson, type OperationId } from '@millrace/api';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createDatabase, password } from '../../server/src/testing/app.ts';
import { eventually } from '../../server/src/testing/fixtures.ts';
import { newMasterKey } from '../../server/src/testing/secrets.ts';
import { urlOf } from '../history/server.ts';
import { createHome, startMillrace } from '../millrace.ts';
import { callerAt } from './calls.ts';

const masterKey = newMasterKey();
const database = await createDatabase();
const server = startMillrace(createHome(), ['serve', '--port', '0'], {
  MILLRACE_DATABASE_URL: urlOf(database),
  MILLRACE_ALLOW_LOSS: 'yes',
  MILLRACE_ADMIN_PASSWORD: password,
  MILLRACE_LOG_LEVEL: 'trace',
  MILLRACE_MASTER_KEY: masterKey,
});
await eventually(
  async () => server.said(),
  (said) => said.includes('Stop it with Ctrl-C.'),
);
const url = String(/(http:\S+)\/docs/.exec(server.said())?.[1]);

type Answer = Record<string, unknown> & { readonly list: { readonly id: number }[] };

async function call(token: string, operationId: OperationId, input: object = {}) {
  const { status, text } = await callerAt(url, token)(operationId, input);
  return { status, body: parseJson(text || '{}') as Answer };
}

test('the log of a server has no sensitive value and no key, whatever fails', async () => {
  const { body: session } = await call('', 'logIn', { body: { username: 'admin', password } });
  const token = String(session['token']);
  const attributes = [{ name: 'customer', sensitivity: 'PERSONAL' }];
  const { body: model } = await call(token, 'createWorkItemModel', {
    body: { name: 'Customer', attributes },
  });
  const created = await call(token, 'createQueue', {
    body: { name: 'Customers', workItemModelId: model['id'], disallowDuplicate: true },
  });
  const path = { id: created.body['id'] };
  const workItems = [{ json: { customer: 'Canary Log' } }];
  const { body: items } = await call(token, 'createWorkItems', { path, body: { workItems } });
  expect((await call(token, 'createWorkItems', { path, body: { workItems } })).status).toBe(409);
  const misfit = { workItems: [{ json: { customer: ['Canary Log'] } }] };
  expect((await call(token, 'createWorkItems', { path, body: misfit })).status).toBe(400);
  const itemPath = { ...path, workItemId: items.list[0]?.id };
  const reveal = () =>
    call(token, 'revealWorkItem', { path: itemPath, body: { reason: 'a test', attributes: ['customer'] } });
  expect((await reveal()).body['json']).toEqual({ customer: 'Canary Log' });
  const client = new pg.Client(database);
  await client.connect();
  await client.query(`update work_item_data set json = replace(json::text, '"1.1.', '"1.1.AAAA')::json`);
  await client.end();
  expect((await reveal()).status).toBe(500);
  server.process.kill('SIGTERM');
  const { stdout, stderr } = await server.ended;
  expect(stdout).toContain('revealWorkItem');
  for (const secret of ['Canary Log', masterKey]) expect(stdout + stderr).not.toContain(secret);
});
