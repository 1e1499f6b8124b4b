import { createClient, type Client, type Id } from '@millrace/api';
import { beforeAll, expect, test } from 'vitest';
import { updateInPortions } from '../cli/src/bulk.ts';
import { readConfig } from '../cli/src/config.ts';
import { createProgram } from '../cli/src/program.ts';
import { createWrittenTerminal } from '../cli/src/terminal.fixture.ts';
import { startApp, type App } from '../server/src/testing/app.ts';

const password = 'correct horse battery';
let app: App;
let client: Client;

beforeAll(async () => {
  app = await startApp();
  client = createClient({ url: app.url, username: 'admin', password });
});

async function createItems(name: string, count: number): Promise<{ id: Id; items: Id[] }> {
  const model = await client.createWorkItemModel({ body: { name, attributes: [{ name: 'customer' }] } });
  const queue = await client.createQueue({ body: { name, workItemModelId: model.id ?? expect.fail() } });
  const id = queue.id ?? expect.fail();
  const workItems = Array.from({ length: count }, (_, n) => ({ json: { customer: `C-${n % 2}` } }));
  const { list } = await client.createWorkItems({ path: { id }, body: { workItems } });
  return { id, items: list.map((item) => item.id ?? expect.fail()) };
}

/** A live line that keeps the text it showed. */
function createLine() {
  const shown: string[] = [];
  const said: string[] = [];
  const line = {
    update: (text: string) => void shown.push(text),
    say: (text: string) => void said.push(text),
  };
  return { line: { ...line, end: () => undefined }, shown, said };
}

/** Runs a command in this process, at a terminal. */
async function typed(...args: string[]) {
  const { terminal, out, said } = createWrittenTerminal(200);
  const config = readConfig({
    MILLRACE_URL: app.url,
    MILLRACE_USERNAME: 'admin',
    MILLRACE_PASSWORD: password,
  });
  await createProgram({ config, terminal }).parseAsync(args, { from: 'user' });
  return { out, said };
}

const customer = { operator: 'eq', field: 'col1', value: 'C-0' };

test('item bulk goes through what a filter selects part by part, tells how far it is, and adds all up', async () => {
  const { id, items } = await createItems('Parts', 9);
  const { line, shown } = createLine();
  const body = { action: 'SET_PRIORITY' as const, priority: 9, filter: customer };
  expect(await updateInPortions(client, { path: { id }, body }, line, 2)).toEqual({
    batchId: expect.any(Number),
    dryRun: false,
    selected: 5,
    changed: 5,
    unchanged: 0,
    refused: 0,
    refusals: [],
    isMore: false,
  });
  expect(shown).toEqual(['2 of 5 items', '4 of 5 items', '5 of 5 items']);
  const { list } = await client.listWorkItems({ path: { id } });
  const urgent = list.filter(({ priority }) => priority === 9).map((item) => item.id);
  expect(urgent).toEqual(items.filter((_, index) => index % 2 === 0));
});

test('item bulk takes a long list of ids part by part, and keeps every refusal', async () => {
  const { id, items } = await createItems('Ids', 5);
  const { line, shown } = createLine();
  const body = { action: 'RELEASE' as const, ids: items };
  const outcome = await updateInPortions(client, { path: { id }, body }, line, 2);
  expect(outcome.selected).toBe(5);
  expect(outcome.changed + outcome.unchanged + outcome.refused).toBe(5);
  expect(outcome.refusals).toHaveLength(outcome.refused);
  expect(shown.at(-1)).toBe('5 of 5 items');
});

test('item bulk says what was changed before it failed', async () => {
  const { id, items } = await createItems('Fails', 3);
  const { line, said } = createLine();
  const ids = [...items.slice(0, 2), -1];
  const body = { action: 'SET_PRIORITY' as const, priority: 9, ids };
  await expect(updateInPortions(client, { path: { id }, body }, line, 2)).rejects.toThrow('ids');
  expect(said).toEqual(['Before it failed, 2 items were changed.']);
});

test('item bulk leaves a filter that restricts nothing to be refused, and a trial in one piece', async () => {
  const { id } = await createItems('Whole', 3);
  const { line, shown } = createLine();
  const all = { action: 'DELETE' as const, filter: { operator: 'and', operands: [{ operator: 'NONE' }] } };
  await expect(updateInPortions(client, { path: { id }, body: all }, line, 2)).rejects.toThrow(
    'restricts nothing',
  );
  const trial = { action: 'DELETE' as const, dryRun: true, filter: customer };
  expect(await updateInPortions(client, { path: { id }, body: trial }, line, 1)).toMatchObject({
    dryRun: true,
    changed: 2,
  });
  expect(shown).toHaveLength(1);
  expect((await client.listWorkItems({ path: { id } })).page.total).toBe(3);
});

test('item bulk selects by the names of display columns, and nothing at all is no failure', async () => {
  await createItems('Named', 4);
  const bulk = ['item', 'bulk', 'Named', '--action', 'DELETE', '--where'];
  expect((await typed(...bulk, 'customer=C-9')).out.join('\n')).toMatch(/^selected +0$/m);
  expect((await typed(...bulk, 'customer=C-1')).out.join('\n')).toMatch(/^changed +2$/m);
});

test('item claim of a queue that grants nothing says why', async () => {
  const { id } = await createItems('Held', 1);
  const { list } = await client.listRoles();
  const admin = list.find(({ name }) => name === 'AAE_Admin') ?? expect.fail();
  await client.addQueueConsumer({ path: { id }, body: { roleId: admin.id } });
  await client.pauseQueue({ path: { id }, body: { reason: 'the ERP is down' } });
  const { said } = await typed('item', 'claim', 'Held');
  expect(said[0]).toBe('Nothing found.');
  expect(said[1]).toContain('the ERP is down');
});
