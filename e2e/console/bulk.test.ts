import type { Page } from 'playwright-core';
import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { atEnd } from '../../server/src/testing/endings.ts';
import { runServer, urlOf, type ServerProcess } from '../history/server.ts';
import { addItems, createInvoices, failItems } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

/** Opens the dialog of an action on all listed items. */
async function choose(page: Page, action: string): Promise<void> {
  await page.getByRole('button', { name: 'Change all that match' }).click();
  await page.getByRole('menuitem', { name: action, exact: true }).click();
  await page.getByRole('dialog').getByRole('heading', { name: action }).waitFor();
}

describe.skipIf(browserFile === undefined)('In a browser, many items', () => {
  const stage = setStage();
  let token = '';
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
  });

  async function queueOf(name: string, count: number): Promise<number> {
    const id = await createInvoices(stage.app, name);
    const records = Array.from({ length: count }, (_, index) => ({ number: `B-${index}`, amount: index }));
    await addItems(stage.app, id, records);
    return id;
  }
  const openQueue = (id: number, how = {}) => stage.open(`/console/queues/${id}?sort=id`, { token, ...how });
  const itemsOf = async (id: number) =>
    (await stage.app.admin.listWorkItems({ path: { id }, body: { sort: [{ field: 'id' }] } })).body.list;

  test('are changed in the tray, which stays while one goes elsewhere and leads to those that were changed', async () => {
    const id = await queueOf('Tray', 9);
    await failItems(stage.app, id, 6, 'The ERP was away');
    const page = await openQueue(id);
    await choose(page, 'Restart');
    await page.getByText('9 selected · 6 will change · 3 refused').waitFor();
    await page.getByRole('link', { name: '3 items: STATUS_CONFLICT.' }).waitFor();
    await page.getByLabel('Reason, for the timeline').fill('The ERP is back');
    await page.getByRole('button', { name: 'Restart 6' }).click();
    const tray = page.getByRole('region', { name: 'Changes of many items' });
    await tray.getByText('6 items changed, 3 refused.').waitFor();
    await expectAccessible(page);
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Queues' }).click();
    await page.getByRole('heading', { level: 1, name: 'Queues' }).waitFor();
    // The restarted items wait behind the three others.
    await failItems(stage.app, id, 5, 'Away again');
    await tray.getByText(/2 failed again/).waitFor();
    await tray.getByRole('link', { name: 'Those that were changed' }).click();
    await page.getByText('6 of 9 items').waitFor();
    await tray.getByRole('button', { name: 'Put away' }).click();
    expect(await tray.count()).toBe(0);
  });

  test('are chosen only as long as the list shows them: not under another filter, nor after an action', async () => {
    const id = await queueOf('Chosen', 4);
    const page = await openQueue(id);
    const choice = page.getByRole('row', { name: /B-1/ }).getByRole('checkbox');
    await choice.check();
    await page.getByRole('button', { name: 'Change 1 chosen' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('amount>=1');
    await page.keyboard.press('Enter');
    await page.getByText('3 of 4 items').waitFor();
    await page.getByRole('button', { name: 'Change all that match' }).waitFor();
    expect(await page.getByRole('row', { selected: true }).count()).toBe(0);
    await choice.check();
    await page.getByRole('button', { name: 'Change 1 chosen' }).click();
    await page.getByRole('menuitem', { name: 'Defer', exact: true }).click();
    await page.getByRole('button', { name: 'Defer 1' }).click();
    await page.getByText('1 item changed, 0 refused.').waitFor();
    await page.getByRole('button', { name: 'Change all that match' }).waitFor();
  });

  test('no longer hold a row that has left the list: a key then acts on the current one', async () => {
    const id = await queueOf('Leaving', 4);
    const page = await openQueue(id);
    await page.getByRole('row', { name: /B-1/ }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('amount>=1');
    await page.keyboard.press('Enter');
    await page.getByText('3 of 4 items').waitFor();
    await page.getByRole('row', { name: /B-1/ }).getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Change 1 chosen' }).waitFor();
    const [, first] = await itemsOf(id);
    const path = { id, workItemId: Number(first?.id) };
    const body = {
      id: path.workItemId,
      queueId: id,
      version: first?.version ?? 0,
      json: { number: 'B-1', amount: 0 },
    };
    expect((await stage.app.admin.updateWorkItem({ path, body })).status).toBe(200);
    await page.getByRole('button', { name: '1 no longer here' }).click();
    await page.getByText('2 of 4 items').waitFor();
    await page.getByRole('button', { name: 'Change all that match' }).waitFor();
    await page.getByRole('row', { name: /B-2/ }).getByText('B-2').click();
    await page.keyboard.press('d');
    await page.getByRole('button', { name: 'Defer 1' }).waitFor();
  });

  /** A server of its own on the database of the stage, made to be killed. */
  async function mortalServer(): Promise<ServerProcess> {
    const server = await runServer({
      MILLRACE_DATABASE_URL: urlOf(stage.app.connection),
      MILLRACE_ALLOW_LOSS: 'yes',
      MILLRACE_PROCESSES: '1',
    });
    atEnd(() => server.stop());
    return server;
  }

  /** Blocks every change of an item until the lock is given up. */
  async function lockItem(itemId: number): Promise<pg.Client> {
    const client = new pg.Client(stage.app.connection);
    await client.connect();
    await client.query('begin');
    await client.query('select from work_items where id = $1 for update', [itemId]);
    return client;
  }

  test('that a killed server has changed in part are counted to the item when it is back, and the rest can go on', async () => {
    const { admin } = stage.app;
    const id = await queueOf('Cut', 900);
    await failItems(stage.app, id, 900, 'The ERP was away');
    const server = await mortalServer();
    const search = { sort: [{ field: 'id' }], page: { offset: 700, length: 1 } };
    const [late] = (await admin.listWorkItems({ path: { id }, body: search })).body.list;
    const lock = await lockItem(Number(late?.id));
    const expected = /ERR_|status of 50/;
    const page = await stage.open(`/console/queues/${id}?sort=id`, { token, url: server.url, expected });
    await choose(page, 'Restart');
    await page.getByRole('button', { name: 'Restart 900' }).click();
    const counts = async () => (await admin.getQueueStats({ path: { id } })).body.counts;
    await expect.poll(counts).toMatchObject({ NEW: 500, FAILED: 400 });
    const back = server.restart('SIGKILL');
    const tray = page.getByRole('region', { name: 'Changes of many items' });
    await tray
      .getByText('How far it came is found out when it does; known so far: 0 items changed')
      .waitFor();
    await lock.end();
    await back;
    await tray.getByText('What is left was not touched: 500 items changed, 0 refused.').waitFor();
    expect(await counts()).toMatchObject({ NEW: 500, FAILED: 400 });
    await expectAccessible(page);
    await tray.getByRole('button', { name: 'Go on' }).click();
    await tray.getByText('900 items changed, 0 refused.').waitFor();
    expect(await counts()).toMatchObject({ NEW: 900, FAILED: 0 });
    await tray.getByRole('link', { name: 'Those that were changed' }).click();
    await page.getByText('900 items', { exact: true }).waitFor();
  });

  test('get another value of an attribute, to its last digit', async () => {
    const id = await queueOf('Edited', 2);
    const page = await openQueue(id);
    await choose(page, 'Edit');
    await page.getByText('Fill in what to do; then it is counted.').waitFor();
    await page.getByLabel('Attribute to set').selectOption('amount');
    await page.getByLabel('amount', { exact: true }).fill('much');
    await page.getByText('This is no number.').waitFor();
    await expectAccessible(page);
    await page.getByLabel('amount', { exact: true }).fill('9007199254740993.125');
    await page.getByRole('button', { name: 'Edit 2' }).click();
    await page.getByText('2 items changed, 0 refused.').waitFor();
    await page.getByRole('gridcell', { name: '9007199254740993.125' }).first().waitFor();
    expect((await itemsOf(id)).map((item) => item.col3)).toEqual(Array(2).fill('9007199254740993.125'));
  });

  test('are deleted with a reason, once their number was typed', async () => {
    const id = await queueOf('Deleted', 3);
    const page = await openQueue(id);
    await choose(page, 'Delete');
    const button = page.getByRole('button', { name: 'Delete 3' });
    await button.waitFor();
    expect(await button.isDisabled()).toBe(true);
    await page.getByLabel('Reason, for the timeline (needed)').fill('Sent twice');
    await page.getByLabel('Type 3 to confirm').fill('3');
    await expectAccessible(page);
    await button.click();
    await page.getByText('3 items changed, 0 refused.').waitFor();
    expect(await itemsOf(id)).toEqual([]);
  });

  test.each([
    ['Defer', 'DEFERRED', async () => undefined],
    ['Set complete', 'COMPLETE', async () => undefined],
    ['Set failed', 'FAILED', (page: Page) => page.getByLabel(/^Reason/).fill('Not for us')],
  ])('are changed by %s', async (action, status, fill) => {
    const id = await queueOf(action, 2);
    const page = await openQueue(id);
    await choose(page, action);
    await fill(page);
    await page.getByRole('button', { name: `${action} 2` }).click();
    await page.getByText('2 items changed, 0 refused.').waitFor();
    expect((await itemsOf(id)).map((item) => item.status)).toEqual([status, status]);
  });

  test('get another priority, and then another queue of their model', async () => {
    const { admin } = stage.app;
    const id = await queueOf('From here', 2);
    const { body: from } = await admin.getQueue({ path: { id } });
    const { workItemModelId = 0 } = from;
    const { body: other } = await admin.createQueue({ body: { name: 'To there', workItemModelId } });
    const page = await openQueue(id);
    await choose(page, 'Prioritize');
    await page.getByLabel('Priority, 0 (last) to 9 (first)').fill('9');
    await page.getByRole('button', { name: 'Prioritize 2' }).click();
    await page.getByText('2 items changed, 0 refused.').waitFor();
    await page.getByRole('button', { name: 'Put away' }).click();
    await choose(page, 'Move');
    await page.getByLabel('To the queue').selectOption('To there');
    await page.getByRole('button', { name: 'Move 2' }).click();
    await page.getByText('2 items changed, 0 refused.').waitFor();
    expect((await itemsOf(Number(other.id))).map((item) => item.priority)).toEqual([9, 9]);
  });

  test('are changed on a phone as well', async () => {
    const id = await queueOf('Small', 2);
    const page = await openQueue(id, { viewport: { width: 390, height: 844 } });
    await choose(page, 'Defer');
    await page.getByRole('button', { name: 'Defer 2' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Defer 2' }).click();
    await page.getByText('2 items changed, 0 refused.').waitFor();
    await expectAccessible(page);
  });
});
