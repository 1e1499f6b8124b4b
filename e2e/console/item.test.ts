import { ExactNumber } from '@millrace/api';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { createDevice } from '../../server/src/testing/dispatch.ts';
import { addItems, createInvoices, failItems } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

async function review(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Review the changes' }).click();
  await page.getByText('These changes are based on version').waitFor();
}

const save = (page: Page) => page.getByRole('button', { name: 'Save' }).click();
const dialog = (page: Page) => page.getByRole('dialog');

describe.skipIf(browserFile === undefined)('In a browser, an item', () => {
  const stage = setStage();
  let token = '';
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
  });

  async function anItem(name: string): Promise<{ id: number; workItemId: number; address: string }> {
    const { app } = stage;
    const id = await createInvoices(app, name);
    await addItems(app, id, [
      { number: 'E-1', vendor: 'Aqua AG', amount: new ExactNumber('9007199254740993.125') },
    ]);
    const [item] = (await app.admin.listWorkItems({ path: { id }, body: {} })).body.list;
    const workItemId = Number(item?.id);
    return { id, workItemId, address: `/console/queues/${id}/workitems/${workItemId}` };
  }
  const dataOf = async ({ id, workItemId }: { id: number; workItemId: number }) =>
    (await stage.app.admin.getWorkItem({ path: { id, workItemId } })).body.json;

  test('is corrected in a form by its model, after a look at what changes, and no digit is lost', async () => {
    const item = await anItem('Corrected');
    const page = await stage.open(item.address, { token });
    await page.getByRole('button', { name: 'Edit' }).waitFor();
    await page.keyboard.press('e');
    await dialog(page).getByLabel('vendor').fill('Meier GmbH');
    await expectAccessible(page);
    await review(page);
    await dialog(page).getByRole('row', { name: 'vendor "Aqua AG" "Meier GmbH"' }).waitFor();
    expect(await dialog(page).getByRole('row').count()).toBe(2);
    await expectAccessible(page);
    await save(page);
    await dialog(page).waitFor({ state: 'detached' });
    await page.getByRole('region', { name: 'Data', exact: true }).getByText('"Meier GmbH"').waitFor();
    expect(await dataOf(item)).toEqual({
      number: 'E-1',
      vendor: 'Meier GmbH',
      amount: new ExactNumber('9007199254740993.125'),
    });
  });

  test('of a paused queue has that queue go on from its own page, and says when it will start', async () => {
    const item = await anItem('Kept back');
    await stage.app.admin.pauseQueue({ path: { id: item.id }, body: { reason: 'The ERP is down' } });
    const page = await stage.open(item.address, { token });
    await page.getByText(/The queue is paused since .*: The ERP is down/).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Resume Kept back' }).click();
    await dialog(page).getByRole('button', { name: 'Resume' }).click();
    await dialog(page).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Resume Kept back' }).waitFor({ state: 'detached' });
    expect((await stage.app.admin.getQueue({ path: { id: item.id } })).body.status).toBe('ACTIVE');
  });

  test('names who made it, changed it and held it, places its attempts in time, and shows the acts of people alone', async () => {
    const { app } = stage;
    const item = await anItem('Named');
    await failItems(app, item.id, 1, 'The ERP was away');
    const path = { id: item.id, workItemId: item.workItemId };
    const { version } = (await app.admin.getWorkItem({ path })).body;
    await app.admin.restartWorkItem({ path, body: { version: Number(version), reason: 'It is back' } });
    const page = await stage.open(item.address, { token });
    await page.getByText('by admin').first().waitFor();
    await page.getByText(/^Failed .*held by admin/).waitFor();
    const acts = page
      .getByRole('listitem')
      .filter({ hasText: 'admin' })
      .filter({ hasText: /this item/ });
    await expect.poll(() => acts.count()).toBe(4);
    await page.getByLabel('Whose acts').selectOption('People');
    await expect.poll(() => acts.count()).toBe(2);
    await page.getByLabel('Whose acts').selectOption('Millrace');
    await page.getByText('None of them did anything to it.').waitFor();
    await expectAccessible(page);
  });

  test('with more changes than one answer holds shows the rest of them on request', async () => {
    const item = await anItem('Busy');
    const change = (priority: number) =>
      stage.app.admin.updateWorkItemStatus({
        path: { id: item.id },
        body: { action: 'SET_PRIORITY', ids: [item.workItemId], priority },
      });
    for (let done = 0; done < 1001; done += 1) await change(done % 2 === 0 ? 1 : 2);
    const page = await stage.open(item.address, { token });
    await page.getByText('These are the first 1,000 changes.').waitFor();
    await page.getByRole('button', { name: 'Read on' }).click();
    await page.getByRole('button', { name: 'Read on' }).waitFor({ state: 'detached' });
    expect(await page.getByRole('listitem').filter({ hasText: 'this item' }).count()).toBe(1002);
  });

  test('has addresses in its data as links that say nothing of here, and long texts cut until somebody wants all', async () => {
    const { app } = stage;
    const id = await createInvoices(app, 'Linked');
    const number = 'See https://shop.example/orders/7, not javascript:alert(1)';
    await addItems(app, id, [{ number, vendor: `${'long '.repeat(4000)}end of it` }]);
    await failItems(app, id, 1, 'https://erp.example/login was away');
    const [item] = (await app.admin.listWorkItems({ path: { id }, body: {} })).body.list;
    const page = await stage.open(`/console/queues/${id}/workitems/${String(item?.id)}`, { token });
    const data = page.getByRole('region', { name: 'Data', exact: true });
    const link = data.getByRole('link');
    expect(await link.textContent()).toBe('https://shop.example/orders/7');
    expect(await link.getAttribute('href')).toBe('https://shop.example/orders/7');
    expect(await link.getAttribute('rel')).toBe('noopener noreferrer');
    expect(await page.getByRole('link', { name: 'https://erp.example/login' }).count()).toBeGreaterThan(0);
    expect(await data.textContent()).not.toContain('end of it');
    const showAll = data.getByRole('button', { name: 'Show all 20,011 characters' });
    await showAll.click();
    await expect.poll(() => data.textContent()).toContain('end of it');
    await data.getByRole('button', { name: 'Show less' }).click();
    await showAll.waitFor();
    await expectAccessible(page);
  });

  test('is corrected as JSON too, which is said to be none where it is none', async () => {
    const item = await anItem('As JSON');
    const page = await stage.open(item.address, { token, viewport: { width: 390, height: 844 } });
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByRole('button', { name: 'As JSON' }).click();
    await page.getByLabel('Data as JSON').fill('{"number": "E-2", }');
    await page.getByText(/^This is no JSON/).waitFor();
    await expectAccessible(page);
    await page.getByLabel('Data as JSON').fill('{"number": "E-2", "amount": 9007199254740993.5}');
    await review(page);
    await dialog(page).getByRole('row', { name: 'vendor "Aqua AG" no value' }).waitFor();
    await save(page);
    await dialog(page).waitFor({ state: 'detached' });
    expect(await dataOf(item)).toEqual({ number: 'E-2', amount: new ExactNumber('9007199254740993.5') });
  });

  test('that two people correct keeps what both have changed, and says where they changed the same', async () => {
    const item = await anItem('By two');
    const first = await stage.open(item.address, { token });
    const second = await stage.open(item.address, { token, expected: /status of 409/ });
    for (const page of [first, second]) await page.getByRole('button', { name: 'Edit' }).click();
    await dialog(first).getByLabel('amount').fill('5');
    await dialog(first).getByLabel('number').fill('E-first');
    await review(first);
    await save(first);
    await dialog(first).waitFor({ state: 'detached' });
    await dialog(second).getByLabel('vendor').fill('Nord & Co');
    await dialog(second).getByLabel('number').fill('E-second');
    await review(second);
    await save(second);
    await second.getByText('Somebody has changed it meanwhile.').waitFor();
    await dialog(second).getByRole('row', { name: 'amount 9007199254740993.125 5' }).waitFor();
    await second.getByText(/your value would go in its place: number\./).waitFor();
    await expectAccessible(second);
    await second.getByRole('button', { name: 'Apply mine to theirs' }).click();
    await dialog(second).getByRole('row', { name: 'number "E-first" "E-second"' }).waitFor();
    await save(second);
    await dialog(second).waitFor({ state: 'detached' });
    expect(await dataOf(item)).toEqual({ number: 'E-second', vendor: 'Nord & Co', amount: 5 });
  });

  test('that is in doubt is a question with its evidence, answered by keys', async () => {
    const { app } = stage;
    const { id, workItemId, address } = await anItem('Doubted');
    const device = await createDevice({ call: app.admin }, { nickname: 'Payer' });
    const body = { count: 1, deviceId: device.path.id };
    const [item] = (await app.admin.claimWorkItems({ path: { id }, body })).body.list;
    const held = { id: workItemId, version: Number(item?.version) };
    const lease = {
      ...held,
      pointOfNoReturn: true,
      logTail: '\u001b[31msending\u001b[0m the payment',
    } as const;
    await app.admin.heartbeatWorkItems({ path: { id }, body: { leases: [lease] } });
    const report = { ...held, status: 'FAILED', failureKind: 'SYSTEM', error: 'connection lost' } as const;
    await app.admin.finishWorkItems({ path: { id }, body: { results: [report] } });
    const page = await stage.open(address, { token });
    const question = page.getByRole('region', { name: 'Was it done?' });
    await question.getByText('sending the payment', { exact: true }).waitFor();
    await question.getByRole('link', { name: 'Payer' }).waitFor();
    await expectAccessible(page);
    await page.keyboard.press('3');
    await page.keyboard.type('The letter is missing');
    await question.getByRole('button', { name: 'Answer', exact: true }).click();
    await question.waitFor({ state: 'detached' });
    const { body: now } = await app.admin.getWorkItem({ path: { id, workItemId } });
    expect(now).toMatchObject({ failureKind: 'BUSINESS', comment: 'The letter is missing' });
  });

  test('shows what its bot writes while it runs, without the codes for terminals, and finds in it', async () => {
    const { app } = stage;
    const { id, address } = await anItem('Logged');
    const { list } = (await app.admin.claimWorkItems({ path: { id }, body: { count: 1 } })).body;
    const write = (logTail: string) =>
      app.admin.heartbeatWorkItems({
        path: { id },
        body: { leases: list.map((item) => ({ id: item.id ?? 0, version: item.version ?? 0, logTail })) },
      });
    await write('\u001b[31mOpening\u001b[0m the invoice');
    const page = await stage.open(address, { token });
    const log = page.getByRole('region', { name: 'Log' });
    await log.getByText('Opening the invoice').waitFor();
    await write('Opening the invoice\nSaving the invoice');
    await log.getByText('Saving the invoice').waitFor();
    await page.getByLabel('Find in the log').fill('INVOICE');
    await expect.poll(() => log.locator('mark').allTextContents()).toEqual(['invoice', 'invoice']);
    await expectAccessible(page);
  });
});
