import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { addItems, createInvoices, hostile } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

describe.skipIf(browserFile === undefined)('The export of items in a browser', () => {
  const stage = setStage();
  let token = '';
  let id = 0;
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
    id = await createInvoices(stage.app, 'Taken out');
    const records = hostile.map((vendor, index) => ({ number: `X-${index}`, vendor, amount: index }));
    await addItems(stage.app, id, records);
  });

  const open = async (page: Page) => {
    await page.getByRole('button', { name: 'Export …' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    return dialog;
  };

  test('takes out what the filter selects, with the columns that were chosen, and no formula', async () => {
    const page = await stage.open(`/console/queues/${id}?q=amount>=4&sort=id`, { token });
    const dialog = await open(page);
    await dialog.getByText('2 items that match the filter').waitFor();
    await dialog.getByText('That you take this out is on record').waitFor();
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Only the data, to be put in again' }).click();
    await dialog.getByRole('checkbox', { name: 'number' }).uncheck();
    await dialog.getByRole('checkbox', { name: 'status' }).check();
    await dialog.getByLabel('Between columns').selectOption('Semicolon');
    const saving = page.waitForEvent('download');
    await dialog.getByRole('button', { name: 'Export', exact: true }).click();
    const download = await saving;
    const lines = readFileSync(await download.path(), 'utf8')
      .replace('\ufeff', '')
      .trim()
      .split('\r\n');
    expect(lines[0]).toMatch(/^Status;vendor;amount$/i);
    expect(lines).toHaveLength(3);
    expect(lines[2]).toContain("'=HYPERLINK");
    await dialog.getByText(`Saved as ${download.suggestedFilename()}.`).waitFor();
    const { list } = (
      await stage.app.admin.listEvents({ query: { queueId: id, operation: 'exportWorkItems' } })
    ).body;
    expect(list).toHaveLength(2);
  });

  test('is done by keys, as a workbook and as lines of JSON', async () => {
    const page = await stage.open(`/console/queues/${id}`, { token });
    await page.getByRole('button', { name: 'Export …' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('6 items of the queue').waitFor();
    await dialog.getByLabel('Format').selectOption('Excel');
    await dialog.getByRole('button', { name: 'Export', exact: true }).focus();
    const saving = page.waitForEvent('download');
    await page.keyboard.press('Enter');
    expect((await saving).suggestedFilename()).toMatch(/\.xlsx$/);
    await dialog.getByLabel('Format').selectOption('JSON, an item a line, exact');
    const again = page.waitForEvent('download');
    await dialog.getByRole('button', { name: 'Export', exact: true }).press('Enter');
    const items = readFileSync(await (await again).path(), 'utf8')
      .trim()
      .split('\n');
    expect(items).toHaveLength(6);
    await dialog.getByText('As curl').click();
    await dialog.getByText('/workitems/export"').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  test('fits on a phone, and asks for a column', async () => {
    const viewport = { width: 390, height: 844 };
    const page = await stage.open(`/console/queues/${id}`, { token, viewport });
    const dialog = await open(page);
    await dialog.getByRole('button', { name: 'Only the data, to be put in again' }).click();
    for (const name of ['number', 'vendor', 'amount']) await dialog.getByRole('checkbox', { name }).uncheck();
    await dialog.getByText('Choose a column.').waitFor();
    expect(await dialog.getByRole('button', { name: 'Export', exact: true }).isDisabled()).toBe(true);
    await expectAccessible(page);
  });
});
