import { beforeAll, describe, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { addItems, createInvoices, failItems, hostile } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

const views = (page: Page) => page.getByRole('button', { name: /^View/ });
const choose = async (page: Page, item: string | RegExp) => {
  await views(page).click();
  await page.getByRole('menuitem', { name: item }).click();
};

describe.skipIf(browserFile === undefined)('In a browser, what somebody has chosen', () => {
  const stage = setStage();
  let token = '';
  let id = 0;
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
    id = await createInvoices(stage.app, 'Invoices');
    await addItems(
      stage.app,
      id,
      Array.from({ length: 20 }, (_, index) => ({
        number: `R-${index}`,
        vendor: index % 2 ? 'Acme' : 'Bolt',
      })),
    );
    await failItems(stage.app, id, 4, 'The ERP was away');
  });
  const open = (search = '', how = {}) => stage.open(`/console/queues/${id}${search}`, { token, ...how });

  test('is kept as a view, picked elsewhere, changed, and deleted', async () => {
    const name = hostile[0] ?? '';
    const page = await open('?q=status:FAILED&sort=id&cols=status,col1');
    await page.getByText('4 of 20 items').waitFor();
    await choose(page, 'Save as a view …');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill(name);
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: `View: ${name}`, exact: true }).waitFor();
    const other = await open();
    await other.getByText('20 items', { exact: true }).waitFor();
    await choose(other, name);
    await other.getByText('4 of 20 items').waitFor();
    expect(await other.getByRole('columnheader').allTextContents()).toEqual(['', 'Id ↑', 'Status', 'number']);
    await other.getByRole('button', { name: 'Remove status:FAILED' }).click();
    await other.getByRole('button', { name: `View: ${name} (changed)` }).waitFor();
    await choose(other, /^Save the changes/);
    await other.getByRole('button', { name: `View: ${name}`, exact: true }).waitFor();
    await views(other).click();
    await expectAccessible(other);
    await other.getByRole('menuitem', { name: 'Delete …' }).click();
    await other.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await other.getByRole('button', { name: 'Views', exact: true }).waitFor();
    expect((await stage.app.admin.listViews()).body.list).toEqual([]);
    expect(await other.evaluate('window.canary')).toBeUndefined();
  });

  test('is shared with all who see the queue, who use it and do not change it', async () => {
    const member = await stage.app.user('mara');
    await stage.app.admin.addOrUpdateQueueMember({
      path: { id, userId: member.id },
      body: { role: 'PARTICIPANT' },
    });
    const page = await open('?q=vendor:Acme');
    await page.getByText('10 of 20 items').waitFor();
    await choose(page, 'Save as a view …');
    await page.getByRole('dialog').getByLabel('Name').fill('Acme alone');
    await page.getByRole('dialog').getByLabel('Share it with all who see the queue').check();
    await page.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'View: Acme alone' }).waitFor();
    const hers = await open('', { token: member.token, viewport: { width: 390, height: 844 } });
    await choose(hers, /^Acme alone/);
    await hers.getByText('10 of 20 items').waitFor();
    await views(hers).click();
    await hers.getByRole('menuitem', { name: 'Save as a view …' }).waitFor();
    expect(await hers.getByRole('menuitem', { name: 'Delete …' }).count()).toBe(0);
    await expectAccessible(hers);
  });

  test('comes along to another browser: theme, density and the columns of a list', async () => {
    const { call, token: own } = await stage.app.user('wanders', ['AAE_Queue Admin']);
    const page = await open('', { token: own, colorScheme: 'light' });
    await page.getByText('20 items', { exact: true }).waitFor();
    await page.keyboard.press('t');
    await page.keyboard.press('t');
    await expect.poll(async () => (await call.getPreferences()).body.theme).toBe('DARK');
    await page.getByRole('button', { name: 'Columns' }).click();
    const columns = page.getByRole('dialog', { name: 'Columns' });
    await columns.getByRole('checkbox', { name: 'vendor' }).uncheck();
    await columns.getByRole('checkbox', { name: 'Device' }).check();
    await expectAccessible(page);
    const up = columns.getByRole('button', { name: 'Move Device forwards' });
    const headers = () => page.getByRole('columnheader', { includeHidden: true }).allTextContents();
    while (!(await up.isDisabled())) await up.click();
    await expect.poll(async () => (await headers()).slice(1, 3)).toEqual(['Id', 'Device']);
    await expect.poll(async () => (await call.getPreferences()).body.columns?.[`items-${id}`]).toBeDefined();
    await call.updatePreferences({ body: { density: 'COMPACT' } });
    const other = await open('', { token: own, colorScheme: 'light' });
    await other.getByText('20 items', { exact: true }).waitFor();
    const html = other.locator('html');
    await expect.poll(() => html.getAttribute('data-theme')).toBe('dark');
    await expect.poll(() => html.getAttribute('data-density')).toBe('compact');
    const titles = await other.getByRole('columnheader').allTextContents();
    expect(titles).not.toContain('vendor');
    expect(titles.slice(1, 3)).toEqual(['Id', 'Device']);
    await expectAccessible(other);
  });

  test('may be that single letters do nothing, on whatever browser', async () => {
    const { call, token: own } = await stage.app.user('dictates', ['AAE_Queue Admin']);
    const page = await open('', { token: own });
    await page.getByText('20 items', { exact: true }).waitFor();
    await page.keyboard.press('?');
    await page.getByLabel('Single letters and signs do something').uncheck();
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await expect.poll(async () => (await call.getPreferences()).body.keys).toBe(false);
    const other = await open('', { token: own });
    const grid = other.getByRole('grid');
    await grid.focus();
    for (const key of ['ArrowDown', 'x', 'w', 'p', '?']) await other.keyboard.press(key);
    await other.keyboard.press('Enter');
    await other.getByRole('heading', { name: 'Timeline' }).waitFor();
    expect(await other.getByRole('dialog').count()).toBe(0);
  });
});

describe.skipIf(browserFile === undefined)('In a browser, the keys of a list', () => {
  const stage = setStage();
  let token = '';
  let id = 0;
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
    id = await createInvoices(stage.app, 'Walked');
    const many = Array.from({ length: 250 }, (_, index) => ({
      number: `W-${index}`,
      vendor: hostile[index % 3],
    }));
    await addItems(stage.app, id, many);
    await failItems(stage.app, id, 3, 'The ERP was away');
  });
  const open = async (search = '') => {
    const page = await stage.open(`/console/queues/${id}${search}`, { token });
    await page.getByRole('grid').focus();
    return page;
  };

  test('filter by a cell, and exclude what is in it', async () => {
    const page = await open('?sort=id&cols=status,col1,col2');
    for (const key of ['j', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
    await page.getByRole('button', { name: 'Only this value' }).waitFor();
    await expectAccessible(page);
    await page.keyboard.press('f');
    await page.getByText('3 of 250 items').waitFor();
    await page.goBack();
    await page.getByText('250 items', { exact: true }).waitFor();
    await page.getByRole('grid').focus();
    await page.keyboard.press('j');
    await page.keyboard.press('F');
    await page.getByText('247 of 250 items').waitFor();
  });

  test('choose rows one after another, all that were read, and all that match', async () => {
    const page = await open('?sort=id');
    await page.keyboard.press('j');
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Shift+ArrowDown');
    await page.getByRole('button', { name: 'Change 3 chosen …' }).waitFor();
    await page.keyboard.press('a');
    await page.getByRole('button', { name: /^Change 2\d\d chosen/ }).waitFor();
    await page.keyboard.press('a');
    await page.getByRole('button', { name: 'Change all that match …' }).waitFor();
    await page.keyboard.press('r');
    await page.getByText('250 selected · 3 will change · 247 refused').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const { counts } = (await stage.app.admin.getQueueStats({ path: { id } })).body;
    expect(counts).toMatchObject({ FAILED: 3 });
  });

  test('act on the row at hand, which is seen to be chosen', async () => {
    const page = await open('?q=status:FAILED&sort=id');
    await page.getByText('3 of 250 items').waitFor();
    await page.getByRole('grid').focus();
    await page.keyboard.press('j');
    await page.keyboard.press('.');
    await page.getByRole('menuitem', { name: 'Restart' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('menuitem', { name: 'Restart' }).click();
    await page.getByText('1 selected · 1 will change · 0 refused').waitFor();
    expect(await page.getByRole('row', { selected: true }).count()).toBe(1);
  });

  test('walk on an item’s own page through the list that it was opened from, and act there too', async () => {
    const page = await open('?sort=id');
    await page.getByRole('row', { name: /W-0/ }).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Next item (])' }).waitFor();
    const first = await page.getByRole('heading', { level: 1 }).textContent();
    await page.keyboard.press(']');
    await page.getByText('"W-1"').waitFor();
    await expectAccessible(page);
    await page.keyboard.press('[');
    await page.getByText('"W-0"').waitFor();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(first);
    await page.keyboard.press('d');
    await page.getByRole('dialog').getByRole('heading', { name: 'Defer' }).waitFor();
  });
});
