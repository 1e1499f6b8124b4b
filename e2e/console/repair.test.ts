import { beforeAll, describe, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { createDevice } from '../../server/src/testing/dispatch.ts';
import { addItems, createInvoices, failItems, hostile, leaveInDoubt } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage, type Stage } from './stage.ts';

/** Invoices whose vendor is misspelt, all failed for that. */
async function createMisspelt({ app }: Stage, name: string, count: number): Promise<number> {
  const id = await createInvoices(app, name);
  const records = Array.from({ length: count }, (_, index) => ({
    number: `R-${index}`,
    vendor: 'Maier',
    amount: index,
  }));
  await addItems(app, id, records);
  await failItems(app, id, count, `The vendor 'Maier' of ${name} is unknown`);
  return id;
}

const cell = (page: Page, name: string, index = 0) =>
  page.getByRole('textbox', { name: new RegExp(`^${name} of item`) }).nth(index);

async function expectToFit(page: Page): Promise<void> {
  const [wide, shown] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  );
  expect(wide).toBe(shown);
}

describe.skipIf(browserFile === undefined)('In a browser,', () => {
  const stage = setStage();
  let token = '';
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
  });
  const open = (address: string, how = {}) => stage.open(address, { token, ...how });
  const choose = (page: Page, name: RegExp) => page.getByRole('link', { name }).click();

  describe('the repair desk', () => {
    test('says that nothing has failed, with the same as a command', async () => {
      const page = await open('/console/repair');
      await page.getByRole('heading', { name: 'Nothing has failed.' }).waitFor();
      await expectAccessible(page);
    });

    test('has rows filled from a sheet, says which cells are wrong, and sends the rest back with what came of each', async () => {
      const id = await createMisspelt(stage, 'Sheet', 17);
      const page = await open('/console/repair');
      await choose(page, /is unknown/);
      await cell(page, 'vendor').fill('Meier');
      await page.keyboard.press('Control+d');
      await page.getByRole('button', { name: 'Send 17 back' }).waitFor();
      await page.evaluate(
        `navigator.clipboard.writeText('R-a\\tAqua AG\\tmuch\\nR-b\\tAqua AG\\t9007199254740993\\n')`,
      );
      await cell(page, 'number').focus();
      await page.keyboard.press('Control+v');
      await page.getByText(/^Item \d+ cannot be sent yet: amount must be a number\.$/).waitFor();
      expect(await cell(page, 'amount').getAttribute('aria-invalid')).toBe('true');
      // The key that sends leads to the cell in the way.
      await page.keyboard.press('Control+Enter');
      await expect.poll(() => page.locator(':focus').getAttribute('aria-label')).toMatch(/^amount of item/);
      await expectAccessible(page);
      await cell(page, 'amount').fill('8');
      const { list } = (await stage.app.admin.listWorkItems({ path: { id }, body: {} })).body;
      // Somebody else corrects the third meanwhile.
      const [third] = list.filter(({ json }) => json?.['number'] === 'R-2');
      const other = { id: Number(third?.id), version: Number(third?.version), json: { vendor: 'Joe' } };
      await stage.app.admin.updateWorkItems({ path: { id }, body: { rows: [other] } });
      await page.getByRole('button', { name: 'Send 17 back' }).click();
      await page.getByText('16 will be corrected and tried again · 1 refused').waitFor();
      await page.getByText('vendor: Maier → Aqua AG').first().waitFor();
      await page.getByLabel('Reason, for the timeline').fill('misspelt');
      await expectAccessible(page);
      await page.getByRole('button', { name: 'Send 16 back' }).click();
      await page.getByText('16 items corrected and sent back, 1 refused.').waitFor();
      await page.getByText(/at version \d+ by now/).waitFor();
      await page.getByRole('button', { name: 'Close' }).click();
      await page.getByRole('list', { name: 'What was done' }).getByText('admin restarted 16 items').waitFor();
      // A refused row keeps its change, on the present state of the item.
      await page.getByRole('button', { name: 'Send 1 back' }).click();
      await page.getByText('vendor: Joe → Meier').waitFor();
      await page.getByRole('dialog').getByRole('button', { name: 'Send 1 back' }).click();
      await page.getByText('1 item corrected and sent back, 0 refused.').waitFor();
      const found = (await stage.app.admin.listWorkItems({ path: { id }, body: {} })).body.list;
      expect(found.map(({ status }) => status)).toEqual(found.map(() => 'NEW'));
      expect(found.find(({ json }) => json?.['number'] === 'R-b')?.json?.['amount']).toBe(9007199254740993n);
    });

    test('keeps the order of its causes under the hand until the worst are wanted first, and a typed note until it is sent or given up', async () => {
      await createMisspelt(stage, 'Few', 3);
      const page = await open('/console/repair');
      await choose(page, /of Few is unknown/);
      const causes = page.getByRole('navigation', { name: 'Causes of failures' }).getByRole('listitem');
      await causes.first().waitFor();
      const before = await causes.count();
      await createMisspelt(stage, 'Many', 30);
      await expect.poll(() => causes.count()).toBe(before + 1);
      await causes
        .last()
        .getByText(/of Many is unknown/)
        .waitFor();
      await page.getByRole('button', { name: 'Worst first' }).click();
      await causes
        .first()
        .getByText(/of Many is unknown/)
        .waitFor();
      await page.getByLabel('Note for whoever meets this again').fill('The vendor list is old');
      await choose(page, /of Many is unknown/);
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('heading', { name: 'Leave without sending?' }).waitFor();
      await dialog.getByRole('button', { name: 'Stay here' }).click();
      expect(await page.getByLabel('Note for whoever meets this again').inputValue()).toBe(
        'The vendor list is old',
      );
      await page.getByRole('button', { name: 'Save note' }).click();
      await page.getByText('The note is saved.').waitFor();
      await choose(page, /of Many is unknown/);
      await dialog.waitFor({ state: 'detached' });
    });

    test('finds and replaces with the number of cells, and undoes it', async () => {
      await createMisspelt(stage, 'Replace', 3);
      const page = await open('/console/repair');
      await choose(page, /of Replace is unknown/);
      await cell(page, 'vendor').waitFor();
      await page.getByLabel('Find', { exact: true }).fill('Mai');
      await page.getByLabel('Replace with').fill('Mei');
      await page.getByRole('button', { name: 'Replace 3' }).click();
      await expect.poll(() => cell(page, 'vendor', 2).inputValue()).toBe('Meier');
      await page.getByRole('button', { name: 'Undo' }).click();
      await expect.poll(() => cell(page, 'vendor', 2).inputValue()).toBe('Maier');
      expect(await page.getByRole('button', { name: 'Send 0 back' }).isDisabled()).toBe(true);
    });

    test('says how far it has read, and makes the same change of all items, those as well that it has not', async () => {
      const id = await createMisspelt(stage, 'Large', 260);
      const page = await open('/console/repair');
      await choose(page, /of Large is unknown/);
      await page.getByText('200 of 260 rows read').waitFor();
      const all = page.getByRole('button', { name: 'Same change for all 260 …' });
      expect(await all.isDisabled()).toBe(true);
      await cell(page, 'vendor').fill('Meier');
      await all.click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText('260 selected · 260 will change · 0 refused').waitFor();
      expect(await dialog.getByLabel('vendor', { exact: true }).inputValue()).toBe('Meier');
      await expectAccessible(page);
      await dialog.getByRole('button', { name: 'Edit 260' }).click();
      await page.getByText('260 items changed, 0 refused.').waitFor();
      // A value that is stored by then is no correction any more.
      await page.getByRole('button', { name: 'Send 0 back' }).waitFor();
      const filter = { operator: 'eq', field: 'status', value: 'FAILED' };
      const { list } = (
        await stage.app.admin.listWorkItems({ path: { id }, body: { filter, page: { length: 300 } } })
      ).body;
      expect(new Set(list.map(({ json }) => json?.['vendor']))).toEqual(new Set(['Meier']));
      expect(list).toHaveLength(260);
    });

    test('says why rows cannot be had, and shows new ones when they are asked for', async () => {
      const id = await createMisspelt(stage, 'Growing', 2);
      const page = await open('/console/repair', { expected: /status of 400/ });
      await choose(page, /of Growing is unknown/);
      await expect.poll(() => cell(page, 'vendor').count()).toBe(1);
      await addItems(stage.app, id, [{ number: 'R-9', vendor: 'Maier' }]);
      await failItems(stage.app, id, 1, "The vendor 'Maier' of Growing is unknown");
      await page.getByRole('button', { name: '1 new' }).click();
      await cell(page, 'vendor', 2).waitFor();
      // A question that the server does not understand is refused like any other.
      const postData = JSON.stringify({ filter: { operator: 'eq', field: 'nothing', value: '1' } });
      await page.route('**/workitems/list', (route) => route.continue({ postData }));
      await page.reload();
      await choose(page, /of Growing is unknown/);
      await page.getByRole('heading', { name: 'This list cannot be had' }).waitFor();
      expect(await page.getByText('No item of this cause has failed').count()).toBe(0);
    });

    test('keeps the note that somebody else has made meanwhile, until both are brought together', async () => {
      await createMisspelt(stage, 'Noted', 1);
      const [mine, theirs] = [
        await open('/console/repair', { expected: /status of 409/ }),
        await open('/console/repair'),
      ];
      const note = (page: Page) => page.getByLabel('Note for whoever meets this again');
      for (const page of [mine, theirs]) {
        await choose(page, /of Noted is unknown/);
        await page.getByRole('region', { name: /of Noted is unknown/ }).waitFor();
      }
      await note(mine).fill('Mine');
      await note(theirs).fill('Theirs');
      await note(theirs).press('Enter');
      await theirs.getByText('The note is saved.').waitFor();
      await note(mine).press('Enter');
      const dialog = mine.getByRole('dialog');
      await dialog.getByRole('cell', { name: 'Theirs' }).waitFor();
      await expectAccessible(mine);
      await dialog.getByRole('button', { name: 'Apply mine to theirs' }).click();
      await note(mine).press('Enter');
      await mine.getByText('The note is saved.').waitFor();
      await expect.poll(() => note(theirs).inputValue()).toBe('Mine');
    });

    test('restarts all of one cause, and remembers whether it helped', async () => {
      const { app } = stage;
      const id = await createInvoices(app, 'Restarted');
      await addItems(
        app,
        id,
        Array.from({ length: 12 }, (_, index) => ({ number: `T-${index}` })),
      );
      await failItems(app, id, 12, 'The ERP did not answer within 3000 ms');
      const page = await open('/console/queues');
      await page.getByRole('heading', { level: 1, name: 'Queues' }).waitFor();
      await page.keyboard.press('g');
      await page.keyboard.press('r');
      await choose(page, /The ERP did not answer within … ms/);
      await page.getByLabel('Note for whoever meets this again').fill('Restart when the ERP is back');
      await page.keyboard.press('Enter');
      await page.getByText('The note is saved.').waitFor();
      await page.getByRole('button', { name: 'Change all that match' }).click();
      await page.getByRole('menuitem', { name: 'Restart' }).waitFor();
      expect(await page.getByRole('menuitem', { name: 'Settle' }).count()).toBe(0);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Restart all 12' }).click();
      await page.getByRole('button', { name: 'Restart 12' }).click();
      await page.getByText('12 items changed, 0 refused.').waitFor();
      await failItems(app, id, 3, 'The ERP did not answer within 4000 ms');
      await page.reload();
      const remedy = page.getByRole('list', { name: 'What was done' });
      await remedy.getByText('admin restarted 12 items').waitFor();
      await remedy.getByRole('link', { name: '0 done, 9 waiting, 3 failed again the same way' }).click();
      await page.getByText('12 items', { exact: true }).waitFor();
    });

    test('says since when and on which devices a cause fails, and how many causes it shows', async () => {
      const { app } = stage;
      const { path } = await createDevice({ call: app.admin }, { nickname: 'Old', slots: 20 });
      for (const name of ['One', 'Two', 'Three']) {
        const id = await createInvoices(app, `Causes ${name}`);
        await addItems(
          app,
          id,
          Array.from({ length: 70 }, (_, index) => ({ number: `C-${index}` })),
        );
        const body = { count: 70, deviceId: path.id };
        const { list } = (await app.admin.claimWorkItems({ path: { id }, body })).body;
        const results = list.map((item, index) => ({
          ...{ id: Number(item.id), version: Number(item.version) },
          ...({ status: 'FAILED', failureKind: 'SYSTEM' } as const),
          error: `Cause ${'abcdefghij'[Math.floor(index / 10)]}${'abcdefghij'[index % 10]} of ${name}`,
        }));
        await app.admin.finishWorkItems({ path: { id }, body: { results } });
      }
      const page = await open('/console/repair');
      await page.getByText(/^200 of \d+ causes shown/).waitFor();
      await choose(page, /Cause aa of Three.*first failed/);
      const devices = page.getByRole('list', { name: 'Devices that it failed on' });
      await devices.getByRole('link', { name: ': 1 item' }).waitFor();
      await expectAccessible(page);
    });

    test('is a list of causes on a phone as well, and shows what is stored as text', async () => {
      const { app } = stage;
      const id = await createInvoices(app, 'Hostile');
      await addItems(
        app,
        id,
        hostile.map((text) => ({ number: text, vendor: text })),
      );
      await failItems(app, id, hostile.length, hostile.filter((text) => !text.startsWith('"')).join(' '));
      const page = await open('/console/repair', { viewport: { width: 390, height: 800 } });
      await choose(page, /<img src=x/);
      await cell(page, 'vendor').waitFor();
      await expectToFit(page);
      await expectAccessible(page);
      expect(await page.evaluate('window.canary')).toBeUndefined();
    });
  });

  describe('what is in doubt', () => {
    test('is settled by keys, one after another, with a note where it was done in part', async () => {
      const { app } = stage;
      const id = await createInvoices(app, 'Payments');
      await addItems(app, id, [{ number: 'one' }, { number: 'two' }]);
      const [one, two] = [await leaveInDoubt(app, id), await leaveInDoubt(app, id)];
      const page = await open('/console/repair');
      const side = page.getByRole('navigation', { name: 'Pages' });
      await side.getByRole('link', { name: 'Repair 2 in doubt', exact: true }).waitFor();
      await choose(page, /Settle 2 items in doubt/);
      await page.getByRole('heading', { name: `Was item ${one} done?` }).waitFor();
      await page.getByText('60 % payment sent').waitFor();
      await page.getByText('sending the payment').waitFor();
      await expectAccessible(page);
      await page.keyboard.press('3');
      await page.keyboard.press('Enter');
      await page.getByText('Say what is left to do.').waitFor();
      await page.keyboard.type('The letter is missing');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: `Was item ${two} done?` }).waitFor();
      await page.getByText('60 % payment sent').waitFor();
      await page.keyboard.press('1');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Nothing is in doubt.' }).waitFor();
      await expectAccessible(page);
      const read = async (workItemId: number) =>
        (await app.admin.getWorkItem({ path: { id, workItemId } })).body;
      expect(await read(one)).toMatchObject({ failureKind: 'BUSINESS', comment: 'The letter is missing' });
      expect(await read(two)).toMatchObject({ status: 'COMPLETE' });
    });

    test('is settled on a phone by three large answers', async () => {
      const { app } = stage;
      const id = await createInvoices(app, 'On a phone');
      await addItems(app, id, [{ number: 'one' }]);
      const item = await leaveInDoubt(app, id);
      const page = await open('/console/repair/doubts', { viewport: { width: 390, height: 800 } });
      await page.getByRole('button', { name: /It was not done/ }).click();
      await expectToFit(page);
      await expectAccessible(page);
      await page.getByRole('button', { name: 'Answer, and show the next' }).click();
      await page.getByText(`Item ${item} is settled.`).waitFor();
      const { body } = await app.admin.getWorkItem({ path: { id, workItemId: item } });
      expect(body.status).toBe('NEW');
    });
  });
});
