import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { addItems, createInvoices, failItems } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

describe.skipIf(browserFile === undefined)('In a browser, what was typed and not sent', () => {
  const stage = setStage();
  let token = '';
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
  });
  const open = (address: string) => stage.open(address, { token });
  const question = (page: Page) => page.getByRole('dialog', { name: 'Leave without sending?' });
  const stay = (page: Page) => question(page).getByRole('button', { name: 'Stay here' }).click();
  const leave = (page: Page) => question(page).getByRole('button', { name: 'Leave, and discard it' }).click();
  const toQueues = (page: Page) =>
    page
      .getByRole('navigation', { name: 'Pages' })
      .getByRole('link', { name: 'Queues', exact: true })
      .click();

  test('into the grid of a cause is not lost by a click on another cause, a key, Back or a reload', async () => {
    const { app } = stage;
    for (const name of ['Kept', 'Beside']) {
      const id = await createInvoices(app, name);
      await addItems(app, id, [{ number: 'R-1', vendor: 'Maier' }]);
      await failItems(app, id, 1, `Nobody of ${name} answers`);
    }
    const page = await open('/console/repair');
    await page.getByRole('link', { name: /Nobody of Kept answers/ }).click();
    await page.getByRole('region', { name: 'Nobody of Kept answers' }).waitFor();
    const cell = page.getByRole('textbox', { name: /^vendor of item/ });
    await cell.click();
    await cell.fill('Meier');
    await page.getByRole('link', { name: /Nobody of Beside answers/ }).click();
    await expectAccessible(page);
    await stay(page);
    await page.getByRole('heading', { level: 1, name: 'Repair' }).click();
    await page.keyboard.press('g');
    await page.keyboard.press('o');
    await stay(page);
    await page.evaluate('history.back()');
    await stay(page);
    const asked = page.waitForEvent('dialog');
    await page.evaluate('setTimeout(() => location.reload())');
    const asking = await asked;
    expect(asking.type()).toBe('beforeunload');
    await asking.dismiss();
    expect(await cell.inputValue()).toBe('Meier');
    await page.getByRole('link', { name: /Nobody of Beside answers/ }).click();
    await leave(page);
    await page.getByRole('region', { name: 'Nobody of Beside answers' }).waitFor();
    // Nothing is asked where nothing is unsent.
    await toQueues(page);
    await page.getByRole('heading', { level: 1, name: 'Queues' }).waitFor();
  });

  test('as settings of a queue, for a new one, or as a change of a model is asked about', async () => {
    const id = await createInvoices(stage.app, 'Set');
    const page = await open(`/console/queues/${id}/settings`);
    await page.getByLabel('Name', { exact: true }).fill('Set anew');
    await toQueues(page);
    await leave(page);
    await page.getByRole('heading', { level: 1, name: 'Queues' }).waitFor();
    await page.goto(`${stage.app.url}/console/queues/new`);
    await page.getByLabel('Name', { exact: true }).fill('Another');
    await toQueues(page);
    await stay(page);
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Another');
    await page.goto(`${stage.app.url}/console/workitemmodels`);
    await page.getByRole('link', { name: 'Model of Set' }).click();
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByLabel('vendor is required').check();
    await toQueues(page);
    await leave(page);
    await page.getByRole('heading', { level: 1, name: 'Queues' }).waitFor();
  });
});
