import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { addItems, createInvoices, failItems, leaveInDoubt } from './fixtures.ts';
import { press, pressUntilChosen, toRow } from './keys.ts';
import { button, countsOf, dialog, itemsOf, link, region, title, tray, type Scene } from './scene.ts';

/** The jobs of a person who looks after items. */
export function testJobsWithItems(scene: () => Scene): void {
  /** Items that have all failed for one cause. */
  async function failed(name: string, count: number, error: string): Promise<number> {
    const id = await createInvoices(scene().app, name);
    const records = Array.from({ length: count }, (_, index) => ({
      number: `${name}-${index}`,
      vendor: 'Maier',
    }));
    await addItems(scene().app, id, records);
    await failItems(scene().app, id, count, error);
    return id;
  }

  describe('tries again what has failed for one cause', () => {
    test('by four keys: g r, r and Enter, and hears how many have failed again', async () => {
      const id = await failed('Retried by keys', 7, 'The ERP was away for 10 s');
      const page = await scene().begin();
      await press(page, 'g', 'r');
      await button(page, 'Restart all 7').waitFor();
      await press(page, 'r');
      await dialog(page).getByText('7 selected · 7 will change · 0 refused').waitFor();
      await press(page, 'Enter');
      await tray(page).getByText('7 items changed, 0 refused.').waitFor();
      expect(await countsOf(scene().app, id)).toMatchObject({ NEW: 7, FAILED: 0 });
      await failItems(scene().app, id, 2, 'The ERP was away for 20 s');
      await tray(page)
        .getByText(/2 failed again/)
        .waitFor();
    });

    test('by the mouse, with a reason', async () => {
      const id = await failed('Retried by mice', 5, 'The disk of the scanner is full');
      const page = await scene().begin();
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Repair' }).click();
      await link(page, /The disk of the scanner is full/).click();
      await button(page, 'Restart all 5').click();
      await dialog(page).getByLabel('Reason, for the timeline').fill('There is room again');
      await button(page, 'Restart 5').click();
      await tray(page).getByText('5 items changed, 0 refused.').waitFor();
      expect(await countsOf(scene().app, id)).toMatchObject({ NEW: 5, FAILED: 0 });
    });
  });

  describe('corrects rows and sends them back', () => {
    const sent = async (id: number) =>
      (await itemsOf(scene().app, id)).map(({ status, json }) => `${status} ${String(json?.['vendor'])}`);

    test('by the mouse, in the grid of the cause', async () => {
      const id = await failed('Corrected by mice', 3, 'No vendor is called so');
      const page = await scene().begin('repair');
      await link(page, /No vendor is called so/).click();
      const cell = page.getByRole('textbox', { name: /^vendor of item/ }).first();
      await cell.click();
      await cell.fill('Meier');
      await button(page, 'Fill down').click();
      await button(page, 'Send 3 back').click();
      await dialog(page).getByText('3 will be corrected and tried again · 0 refused').waitFor();
      await dialog(page).getByText('vendor: Maier → Meier').first().waitFor();
      await dialog(page).getByRole('button', { name: 'Send 3 back' }).click();
      await dialog(page).getByText('3 items corrected and sent back, 0 refused.').waitFor();
      expect(await sent(id)).toEqual(Array(3).fill('NEW Meier'));
    });

    test('by e into the grid, Ctrl+D down and Ctrl+Enter', async () => {
      const id = await failed('Corrected by keys', 3, 'Nobody is called that way');
      const page = await scene().begin();
      await press(page, 'g', 'r');
      await toRow(page, /Nobody is called that way/);
      await press(page, 'Enter');
      await region(page, 'Nobody is called that way')
        .getByRole('textbox', { name: /^vendor of item/ })
        .first()
        .waitFor();
      await press(page, 'e', 'Tab');
      await page.keyboard.type('Meier');
      await press(page, 'Control+d', 'Control+Enter');
      await dialog(page).getByText('3 will be corrected and tried again · 0 refused').waitFor();
      await press(page, 'Enter');
      await dialog(page).getByText('3 items corrected and sent back, 0 refused.').waitFor();
      expect(await sent(id)).toEqual(Array(3).fill('NEW Meier'));
    });
  });

  describe('settles what is in doubt, one after another', () => {
    async function doubtful(name: string) {
      const id = await createInvoices(scene().app, name);
      await addItems(scene().app, id, [{ number: 'one' }, { number: 'two' }]);
      const [one, two] = [await leaveInDoubt(scene().app, id), await leaveInDoubt(scene().app, id)];
      const read = async (workItemId: number) =>
        (await scene().app.admin.getWorkItem({ path: { id, workItemId } })).body;
      return { one, two, read };
    }
    const question = (page: Page, id: number) => page.getByRole('heading', { name: `Was item ${id} done?` });

    test('by the mouse, from the overview', async () => {
      const { one, two, read } = await doubtful('Doubted by mice');
      const page = await scene().begin();
      const line = region(page, 'Needs a person')
        .getByRole('listitem')
        .filter({ hasText: 'Doubted by mice' });
      await line.getByText(/^2 items in Doubted by mice are in doubt/).waitFor();
      await line.getByRole('link', { name: 'Settle' }).click();
      await question(page, one).waitFor();
      await page.getByText('60 % payment sent').waitFor();
      await button(page, /It was done/).click();
      await button(page, 'Answer, and show the next').click();
      await question(page, two).waitFor();
      await button(page, /It was not done/).click();
      await button(page, 'Answer, and show the next').click();
      await page.getByRole('heading', { name: 'Nothing is in doubt in this queue.' }).waitFor();
      expect([(await read(one)).status, (await read(two)).status]).toEqual(['COMPLETE', 'NEW']);
    });

    test('by j and Enter on the overview, then 1, 2 or 3 and Enter', async () => {
      const { one, two, read } = await doubtful('Doubted by keys');
      const page = await scene().begin();
      await toRow(page, /in Doubted by keys are in doubt/);
      await press(page, 'Enter');
      await question(page, one).waitFor();
      await page.getByText('60 % payment sent').waitFor();
      await press(page, '3', 'Enter');
      await page.getByText('Say what is left to do.').waitFor();
      await page.keyboard.type('The letter is missing');
      await press(page, 'Enter');
      await question(page, two).waitFor();
      await page.getByText('60 % payment sent').waitFor();
      await press(page, '1', 'Enter');
      await page.getByRole('heading', { name: 'Nothing is in doubt in this queue.' }).waitFor();
      expect(await read(one)).toMatchObject({ failureKind: 'BUSINESS', comment: 'The letter is missing' });
      expect((await read(two)).status).toBe('COMPLETE');
    });
  });

  describe('finds one invoice', () => {
    async function isAt(page: Page, address: string): Promise<void> {
      await expect.poll(() => new URL(page.url()).pathname).toBe(address);
    }

    async function invoice(name: string, number: string) {
      const id = await createInvoices(scene().app, name);
      await addItems(scene().app, id, [{ number: `${number}-0` }, { number }]);
      const found = (await itemsOf(scene().app, id)).find(({ json }) => json?.['number'] === number);
      return `/console/queues/${id}/workitems/${found?.id}`;
    }

    test('by the mouse, by its number', async () => {
      const address = await invoice('Found by mice', '2026-0417');
      const page = await scene().begin();
      await button(page, 'Find or do').click();
      await dialog(page).getByRole('searchbox').or(dialog(page).getByRole('textbox')).fill('2026-0417');
      await dialog(page)
        .getByRole('menuitem', { name: /^2026-0417 ?Found by mice/ })
        .click();
      await isAt(page, address);
    });

    test('by Ctrl+K and its number', async () => {
      const address = await invoice('Found by keys', '2026-0815');
      const page = await scene().begin();
      await press(page, 'Control+k');
      await dialog(page).waitFor();
      await page.keyboard.type('2026-0815');
      await dialog(page)
        .getByRole('menuitem', { name: /^2026-0815 ?Found by keys/ })
        .waitFor();
      await pressUntilChosen(page, /^2026-0815 ?Found by keys/);
      await isAt(page, address);
    });

    test('by Ctrl+K and its address, and again as one that was opened before', async () => {
      const address = await invoice('Found by address', '2026-0911');
      const page = await scene().begin();
      await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(scene().app.url + address)})`);
      await press(page, 'Control+k');
      await dialog(page).waitFor();
      await press(page, 'Control+v');
      await dialog(page)
        .getByRole('menuitem', { name: /^Item \d+ ?Found by address/ })
        .waitFor();
      await press(page, 'Enter');
      await isAt(page, address);
      await title(page, `Item ${address.split('/').at(-1)}`).waitFor();
      await press(page, 'g', 'o');
      await title(page, 'Overview').waitFor();
      await press(page, 'Control+k');
      const first = dialog(page).getByRole('menuitem').first();
      await expect.poll(() => first.textContent()).toMatch(/^Item \d+ · Found by address ?Opened before/);
      await press(page, 'ArrowDown', 'Enter');
      await isAt(page, address);
    });
  });

  describe('sees what happened to an item, and who did it', () => {
    async function changed(name: string) {
      const { admin } = scene().app;
      const id = await createInvoices(scene().app, name);
      await addItems(scene().app, id, [{ number: 'V-1', vendor: 'Aqua' }]);
      const [item] = await itemsOf(scene().app, id);
      const workItemId = Number(item?.id);
      const path = { id, workItemId };
      for (const vendor of ['Aqua AG', 'Meier', 'Nord']) {
        const { version = 0 } = (await admin.getWorkItem({ path })).body;
        const json = { number: 'V-1', vendor };
        await admin.updateWorkItem({ path, body: { id: workItemId, queueId: id, version, json } });
      }
      return `queues/${id}/workitems/${workItemId}`;
    }
    const difference = (page: Page, before: string, after: string) =>
      region(page, 'Versions of its data').getByRole('row', { name: `vendor "${before}" "${after}"` });

    test('by the mouse, version by version, each with what differs and from whom it is', async () => {
      const page = await scene().begin(await changed('Told to mice'));
      await difference(page, 'Meier', 'Nord').waitFor();
      await button(page, 'Earlier version').click();
      await difference(page, 'Aqua AG', 'Meier').waitFor();
      await region(page, 'Versions of its data').getByText('admin').waitFor();
      await page.getByLabel('Compared with').selectOption({ index: 2 });
      await expect.poll(() => difference(page, 'Nord', 'Meier').count()).toBe(1);
    });

    test('by ← and →', async () => {
      const page = await scene().begin(await changed('Told to keys'));
      await difference(page, 'Meier', 'Nord').waitFor();
      await press(page, 'ArrowLeft');
      await difference(page, 'Aqua AG', 'Meier').waitFor();
      await press(page, 'ArrowRight');
      await expect.poll(() => difference(page, 'Meier', 'Nord').count()).toBe(1);
    });
  });
}
