import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { createInvoices, hostile, hostileNames } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

const pictures = process.env['MILLRACE_PICTURES'];

describe.skipIf(browserFile === undefined)('In a browser,', () => {
  const stage = setStage();
  let token: string;
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
  });

  const open = (address: string, how = {}) => stage.open(address, { token, ...how });

  async function picture(page: Page, name: string): Promise<void> {
    if (pictures) await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });
  }

  const file = (name: string, text: string) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });
  const next = (page: Page, step: string) => page.getByRole('button', { name: `Next: ${step}` }).click();

  const german = [
    'Number;Vendor;Betrag;Vermerk',
    'R-01;Adam;1.500,50;x',
    'R-02;<img src=x onerror=window.canary=1>;viel;y',
    'R-03;Braun;12,5;z',
    '',
  ].join('\r\n');

  test('a spreadsheet of another layout is mapped, checked, put in and taken back', async () => {
    const id = await createInvoices(stage.app, 'Spreadsheets');
    const page = await open(`/console/queues/${id}/upload`);
    await page.getByRole('heading', { name: 'Upload', exact: true }).waitFor();
    await expectAccessible(page);
    await picture(page, 'upload-1-file');
    await page.locator('input[type=file]').setInputFiles(file('rechnungen.csv', german));
    await page.getByText('Read as CSV, semicolons between columns, UTF-8; 3 rows looked at.').waitFor();
    await expectAccessible(page);
    await picture(page, 'upload-2-read');

    await next(page, 'Map');
    await expect.poll(() => page.locator(':focus').getAttribute('aria-label')).toBe('Steps');
    await page.getByText('As it is read now, the file would be refused:').waitFor();
    const toCheck = page.getByRole('button', { name: 'Next: Check' });
    expect(await toCheck.isDisabled()).toBe(true);
    await page.getByLabel('Betrag becomes').selectOption('amount');
    await page.getByLabel('Before decimals stands').selectOption('COMMA');
    await expectAccessible(page);
    await picture(page, 'upload-3-map');
    await page.getByLabel('Leave columns out that are no attribute').check();
    await next(page, 'Check');

    await page.getByText('2 items would be created · 1 row does not fit · 0 rows equal others').waitFor();
    await page.getByText('Betrag: must be a number').first().waitFor();
    await expectAccessible(page);
    await picture(page, 'upload-4-check');
    await page.getByLabel('They are left out').check();
    await page.getByRole('button', { name: 'Put 2 items in' }).click();

    await page.getByText('2 items created · 1 row did not fit: left out').waitFor();
    await expectAccessible(page);
    await picture(page, 'upload-5-done');
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Get 1 row to correct' }).click();
    const saved = await saving;
    expect(saved.suggestedFilename()).toBe('rechnungen.errors.csv');
    expect(readFileSync(await saved.path(), 'utf8')).toContain('R-02');

    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('2 items would be withdrawn.').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Withdraw 2 items' }).click();
    await page.getByText('The items that nobody had worked on were withdrawn.').waitFor();
    const { counts } = (await stage.app.admin.getQueueStats({ path: { id } })).body;
    expect(counts.NEW).toBe(0);
    expect(await page.evaluate('window.canary')).toBeUndefined();
  });

  test('a file is sent once for its trial, also when the server was away meanwhile', async () => {
    const id = await createInvoices(stage.app, 'Sent once');
    const page = await open(`/console/queues/${id}/upload`, { expected: /ERR_/ });
    await page.locator('input[type=file]').setInputFiles(file('one.csv', 'number,vendor\nR-1,A\n'));
    for (const step of ['Map', 'Check']) await next(page, step);
    await page.getByRole('button', { name: 'Put 1 item in' }).waitFor();
    const sent: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().includes('ile')) sent.push(request.url());
    });
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Put 1 item in' }).click();
    await page.getByText('The server does not answer since').waitFor();
    sent.length = 0;
    const asked = page.waitForRequest(/\/stats/);
    await page.context().setOffline(false);
    await page.getByText('The server does not answer since').waitFor({ state: 'detached' });
    await asked;
    expect(sent).toEqual([]);
  });

  test('the same file is recognised, and its items are one click away', async () => {
    const id = await createInvoices(stage.app, 'Twice');
    const viewport = { width: 390, height: 844 };
    const page = await open(`/console/queues/${id}/upload`, { viewport, expected: /status of 409/ });
    const choose = async () => {
      await page.locator('input[type=file]').setInputFiles(file('two.csv', 'number,vendor\nR-1,A\nR-2,B\n'));
      for (const step of ['Map', 'Check']) await next(page, step);
    };
    const put = () => page.getByRole('button', { name: 'Put 2 items in' }).click();
    await choose();
    await put();
    await page.getByText('2 items created').waitFor();
    await page.getByRole('link', { name: '2 Waiting' }).waitFor();
    await expectAccessible(page);
    await picture(page, 'upload-390');
    await page.getByRole('link', { name: 'Put another file in' }).click();
    await choose();
    await page.getByText('This file was put in before').waitFor();
    await page.getByText(/as upload \d+, "two.csv" of .* by you/).waitFor();
    await expectAccessible(page);
    await picture(page, 'upload-again-390');
    await page.getByRole('button', { name: 'Put it in again' }).click();
    await page.getByText('2 items would be created').waitFor();
    await put();
    await page.getByText('2 items created').waitFor();
    await page.getByRole('link', { name: 'Put another file in' }).click();
    await choose();
    await page.getByRole('button', { name: 'Look at it, and undo it there' }).click();
    await page.getByRole('button', { name: 'Undo' }).waitFor();
    await page.getByRole('link', { name: 'Its items' }).click();
    await page.getByRole('gridcell', { name: 'R-2' }).waitFor();
    expect(new URL(page.url()).searchParams.get('q')).toMatch(/^batchId:\d+$/);
  });

  test('a row that does not fit leads to the item that was made of it', async () => {
    const id = await createInvoices(stage.app, 'To repair');
    const page = await open(`/console/queues/${id}/upload`);
    const text = 'number,vendor,amount\nR-1,A,5\nR-2,B,much\n';
    await page.locator('input[type=file]').setInputFiles(file('some.csv', text));
    for (const step of ['Map', 'Check']) await next(page, step);
    await page.getByRole('button', { name: 'Put 2 items in' }).click();
    await page.getByText('1 item created · 1 row did not fit: failed items now').waitFor();
    await expectAccessible(page);
    await picture(page, 'upload-repair');
    const filter = { operator: 'eq', field: 'failureKind', value: 'DATA_ERROR' } as const;
    const { body } = await stage.app.admin.listWorkItems({ path: { id }, body: { filter } });
    const [item] = body.list;
    await page.getByRole('link', { name: `Row 3: item ${item?.id}` }).click();
    await page.waitForURL(`**/queues/${id}/workitems/${item?.id}`);
    await page.getByText('R-2').first().waitFor();
  });

  test('a spreadsheet is dropped anywhere on a queue', async () => {
    const id = await createInvoices(stage.app, 'Dropped');
    const page = await open(`/console/queues/${id}`);
    await page.getByRole('heading', { name: 'Dropped' }).waitFor();
    await page.evaluate(`{
      const files = new DataTransfer();
      files.items.add(new File(['number\\nR-1\\n'], 'dropped.csv', { type: 'text/csv' }));
      document.querySelector('h1').dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: files }));
    }`);
    await page.getByText('Read as CSV').waitFor();
    await page.getByText('dropped.csv').first().waitFor();
  });

  test('the name of a file, its columns and its values are text, whatever they hold', async () => {
    const id = await createInvoices(stage.app, 'Hostile files');
    const page = await open(`/console/queues/${id}/upload`);
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const header = ['number', 'vendor', ...hostileNames];
    const rows = hostile.map((text) => [text, text, ...hostileNames.map(() => text)]);
    const text = [header, ...rows].map((cells) => cells.map(quoted).join(',')).join('\n');
    const [image = ''] = hostileNames;
    const name = `${image.replaceAll('/', '')}.csv`;
    await page.locator('input[type=file]').setInputFiles(file(name, text));
    await page.getByText(`Read as CSV`).waitFor();
    await page.getByText(name).first().waitFor();
    await expectAccessible(page);
    await next(page, 'Map');
    await page.getByLabel('Leave columns out that are no attribute').check();
    await page.getByRole('rowheader', { name: image, exact: true }).waitFor();
    await expectAccessible(page);
    await next(page, 'Check');
    await page.getByText('leftU+202Eright').first().waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: `Put ${hostile.length} items in` }).click();
    await page.getByText(`${hostile.length} items created`).waitFor();
    await expectAccessible(page);
    expect(await page.evaluate('window.canary')).toBeUndefined();
  });

  test('what is no table is refused in the words of the server, and another file can be chosen', async () => {
    const id = await createInvoices(stage.app, 'No tables');
    const page = await open(`/console/queues/${id}/upload`, { expected: /status of 400/ });
    await page.locator('input[type=file]').setInputFiles(file('invoices.csv', '%PDF-1.7 …'));
    await page.getByRole('alert').getByText(/PDF/).waitFor();
    await page.getByRole('button', { name: 'Another file' }).click();
    await page.getByRole('button', { name: 'Choose a file' }).waitFor();
  });
});
