import { ExactNumber } from '@millrace/api';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerDevice } from '../../server/src/testing/devices.ts';
import { addItems, createInvoices, failItems, hostile } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { expectAccessible, type Stage } from './stage.ts';

/** The ids of the rows on screen. */
function idsIn(page: Page): Promise<string[]> {
  return page.getByRole('grid').getByRole('link').allTextContents();
}

export function testItems(stage: () => Stage): void {
  describe('the items of a queue', () => {
    let [token, queueId] = ['', 0];
    beforeAll(async () => {
      const { app } = stage();
      token = await tokenOfAdmin(stage());
      queueId = await createInvoices(app, 'Invoices');
      const many = Array.from({ length: 600 }, (_, index) => ({ number: `R-${index}`, amount: index }));
      await addItems(app, queueId, many);
      await failItems(app, queueId, 30, 'Timeout of the ERP\nat save');
      await failItems(app, queueId, 5, 'The vendor is blocked');
    });
    const open = (search = '', how = {}) =>
      stage().open(`/console/queues/${queueId}${search}`, { token, ...how });

    test('are counted, and each number leads to exactly what it counts', async () => {
      const page = await stage().open('/console/queues', { token });
      await page
        .getByRole('row', { name: /^Invoices/ })
        .getByRole('link', { name: '35 Failed' })
        .click();
      await page.getByText('35 of 600 items').waitFor();
      expect(await page.getByRole('grid').getAttribute('aria-rowcount')).toBe('36');
      await expectAccessible(page);
    });

    test('are found by a typed filter, whose address shows the same elsewhere, and Back keeps all', async () => {
      const page = await open();
      await page.getByText('600 items').waitFor();
      await page.keyboard.press('/');
      await page.keyboard.type('status:FAILED error~timeout -amount:3');
      await page.keyboard.press('Enter');
      await page.getByText('29 of 600 items').waitFor();
      const other = await stage().open(new URL(page.url()).pathname + new URL(page.url()).search, { token });
      await other.getByText('29 of 600 items').waitFor();
      expect(await idsIn(other)).toEqual(await idsIn(page));
      await page.getByRole('button', { name: 'Remove -amount:3' }).click();
      await page.getByText('30 of 600 items').waitFor();
      await page.goBack();
      await page.getByText('29 of 600 items').waitFor();
    });

    test('are found by what the line of the filter offers', async () => {
      const page = await open();
      await page.getByText('600 items').waitFor();
      const line = page.getByRole('combobox', { name: 'Filter' });
      await page.keyboard.press('/');
      await page.keyboard.type('sta');
      await page.getByRole('option', { name: 'status' }).waitFor();
      await expectAccessible(page);
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.keyboard.type('fa');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Tab');
      await expect.poll(() => line.inputValue()).toBe('status:FAILED ');
      await page.keyboard.press('Enter');
      await page.getByText('35 of 600 items').waitFor();
    });

    test.each([
      ['nothing:1', 'There is no field “nothing”.'],
      ['amount>much', 'amount is a number, and “much” is none.'],
      ['(status:NEW', 'A bracket is not closed.'],
      ['status:LOST', 'status is one of NEW, IN_PROGRESS, COMPLETE, FAILED, DEFERRED.'],
    ])('are not asked for by what is no filter, such as %s', async (q, problem) => {
      const page = await open(`?q=${encodeURIComponent(q)}`);
      await page.getByText(problem).waitFor();
      expect(await page.getByRole('grid').count()).toBe(0);
    });

    test('that no filter finds are named part by part', async () => {
      const page = await open(`?q=${encodeURIComponent('status:FAILED error~nowhere')}`);
      await page.getByRole('heading', { name: 'No item matches.' }).waitFor();
      await expectAccessible(page);
      await page.getByRole('button', { name: 'Without error~nowhere' }).click();
      await page.getByText('35 of 600 items').waitFor();
    });

    test('are walked through by keys, looked at, chosen and opened', async () => {
      const page = await open('?sort=id');
      await page.getByRole('grid').focus();
      await page.keyboard.press('j');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Space');
      const peek = page.getByRole('complementary');
      await expect.poll(() => peek.getAttribute('aria-label')).toMatch(/^Item \d+$/);
      await peek.getByText('"R-1"').waitFor();
      await expectAccessible(page);
      await page.keyboard.press('x');
      expect(await page.getByRole('row', { selected: true }).count()).toBe(1);
      await page.keyboard.press('a');
      await page.getByRole('button', { name: /^Change [2-9]\d+ chosen/ }).waitFor();
      await page.keyboard.press('k');
      await peek.getByText('"R-0"').waitFor();
      await page.keyboard.press('Enter');
      await expect.poll(() => page.url()).toMatch(/\/workitems\/\d+$/);
      await page.getByRole('heading', { name: 'Timeline' }).waitFor();
      await expectAccessible(page);
    });

    test('are chosen all at once by the box above them, which says when only some are, and offer what they allow', async () => {
      const page = await open(`?sort=id&q=${encodeURIComponent('status:FAILED kind:BUSINESS')}`);
      await page.getByText('35 of 600 items').waitFor();
      const all = page.getByRole('checkbox', { name: 'Select all rows that are read' });
      await all.check();
      await page.getByRole('button', { name: 'Change 35 chosen …' }).waitFor();
      await page.getByRole('row', { selected: true }).getByRole('checkbox').first().uncheck();
      expect(await page.locator('input:indeterminate').count()).toBe(1);
      await page.getByRole('button', { name: 'Change 34 chosen …' }).click();
      const menu = page.getByRole('menu');
      const isOff = (name: string) =>
        menu.getByRole('menuitem', { name, exact: true }).getAttribute('aria-disabled');
      expect([await isOff('Restart'), await isOff('Settle'), await isOff('Ask to stop')]).toEqual([
        null,
        'true',
        'true',
      ]);
      await page.getByText('What is greyed, none of these items allows as it is now.').waitFor();
      await expectAccessible(page);
      await page.keyboard.press('Escape');
      await all.check();
      await all.uncheck();
      await page.getByRole('button', { name: 'Change all that match …' }).waitFor();
    });

    test('that run show their device, how far they are and the rest of their lease', async () => {
      const { app } = stage();
      const id = await createInvoices(app, 'Held');
      await addItems(app, id, [{ number: 'H-1' }]);
      const runner = await app.user('holder', ['AAE_Bot Runner']);
      const device = await registerDevice(runner, { nickname: 'Runner in the hall' });
      const deviceId = Number(device.id);
      const roles = (await app.admin.listRoles({ body: { page: { length: 100 } } })).body.list;
      const roleId = Number(roles.find(({ name }) => name === 'AAE_Bot Runner')?.id);
      await app.admin.addQueueConsumer({ path: { id }, body: { roleId } });
      const [item] = (
        await runner.call.claimWorkItems({ path: { id }, body: { deviceId, leaseSeconds: 600 } })
      ).body.list;
      const lease = { id: Number(item?.id), version: Number(item?.version), progress: { percent: 40 } };
      await runner.call.heartbeatWorkItems({ path: { id }, body: { leases: [lease] } });
      const page = await stage().open(`/console/queues/${id}?cols=status,deviceId,leaseExpiresOn`, { token });
      const row = page.getByRole('row', { name: /In progress/ });
      await row.getByText('40 %').waitFor();
      await row.getByText(/^\d+ min \d+ s$/).waitFor();
      await expectAccessible(page);
      await row.getByRole('link', { name: 'Runner in the hall' }).click();
      await page.getByRole('heading', { level: 1, name: 'Runner in the hall' }).waitFor();
    });

    test('are drawn as far as they are on screen, and read as far as somebody looks', async () => {
      const page = await open('?sort=id');
      const grid = page.getByRole('grid');
      await grid.focus();
      const toTheEnd = async () => {
        await page.keyboard.press('End');
        return page.getByRole('row', { name: /R-599/ }).count();
      };
      await expect.poll(toTheEnd).toBe(1);
      expect(await page.evaluate<number>('document.querySelectorAll("*").length')).toBeLessThan(3000);
    });

    test('keep their columns and order in the address', async () => {
      const page = await open('?cols=status,col3&sort=-col3');
      await page.getByRole('row', { name: /599$/ }).waitFor();
      const headers = await page.getByRole('columnheader').allTextContents();
      expect(headers).toEqual(['', 'Id', 'Status', 'amount ↓']);
      expect(await page.getByRole('gridcell').nth(3).textContent()).toBe('599');
    });

    test('fit on a phone, where nothing has to be moved sideways', async () => {
      const page = await open('', { viewport: { width: 390, height: 844 } });
      await page.getByRole('grid').waitFor();
      const [wide, shown] = await page.evaluate<[number, number]>(
        '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
      );
      expect(wide).toBe(shown);
      await expectAccessible(page);
    });

    test('are tried again with a reason, and one that has moved on meanwhile is told with what became of it', async () => {
      const { app } = stage();
      const id = await createInvoices(app, 'Repaired');
      await addItems(app, id, [{ number: 'again' }]);
      await failItems(app, id, 1, 'The ERP was away');
      const [item] = (await app.admin.listWorkItems({ path: { id }, body: {} })).body.list;
      const address = `/console/queues/${id}/workitems/${item?.id}`;
      const late = await stage().open(address, { token, expected: /status of 409/ });
      await late.getByRole('button', { name: 'Restart' }).click();
      const page = await stage().open(address, { token });
      await page.getByRole('button', { name: 'Restart' }).click();
      await page.getByLabel('Reason, for the timeline').fill('The ERP is back');
      await expectAccessible(page);
      await page.getByRole('dialog').getByRole('button', { name: 'Restart' }).click();
      await page.getByRole('article').getByText('The ERP is back').waitFor();
      expect(await page.getByRole('button', { name: 'Restart' }).count()).toBe(0);
      const dialog = late.getByRole('dialog');
      await dialog.getByRole('button', { name: 'Restart' }).click();
      await expect.poll(() => dialog.getByRole('alert').textContent()).toMatch(/version|NEW/);
      await dialog.getByText(/^It is now New, changed by admin/).waitFor();
      expect(await dialog.getByRole('button', { name: 'Restart it as it is now' }).isDisabled()).toBe(true);
      // Once it has failed anew, the same can be done to it as it is then.
      await dialog.getByRole('button', { name: 'Cancel' }).click();
      await failItems(app, id, 1, 'The ERP was away again');
      await late.getByRole('button', { name: 'Restart' }).click();
      const seen = (await app.admin.listWorkItems({ path: { id }, body: {} })).body.list[0];
      const rows = [{ id: Number(seen?.id), version: Number(seen?.version), json: { vendor: 'Aqua AG' } }];
      await app.admin.updateWorkItems({ path: { id }, body: { rows } });
      await dialog.getByRole('button', { name: 'Restart' }).click();
      await dialog.getByText('The ERP was away again').waitFor();
      await dialog.getByText('Aqua AG').waitFor();
      await expectAccessible(late);
      await dialog.getByRole('button', { name: 'Restart it as it is now' }).click();
      await expect.poll(() => late.getByRole('dialog').count()).toBe(0);
      const { body } = await app.admin.getWorkItem({ path: { id, workItemId: Number(item?.id) } });
      expect(body).toMatchObject({ status: 'NEW', json: { vendor: 'Aqua AG' } });
    });

    test('that match are tried again together, after a trial that says how many and which not', async () => {
      const { app } = stage();
      const id = await createInvoices(app, 'Together');
      await addItems(
        app,
        id,
        Array.from({ length: 12 }, (_, index) => ({ number: `T-${index}` })),
      );
      await failItems(app, id, 7, 'The ERP was away');
      const page = await stage().open(`/console/queues/${id}?q=${encodeURIComponent('number~T-')}`, {
        token,
      });
      await page.getByRole('button', { name: 'Change all that match' }).click();
      await page.getByRole('menuitem', { name: 'Restart' }).click();
      await page.getByText('12 selected · 7 will change · 5 refused').waitFor();
      await expectAccessible(page);
      await page.getByLabel('Reason, for the timeline').fill('The ERP is back');
      await page.getByRole('button', { name: 'Restart 7' }).click();
      await page.getByText('7 items changed, 5 refused.').waitFor();
      const { counts } = (await app.admin.getQueueStats({ path: { id } })).body;
      expect(counts).toMatchObject({ NEW: 12, FAILED: 0 });
    });

    test('show each number to its last digit', async () => {
      const { app } = stage();
      const id = await createInvoices(app, 'Exact');
      const amount = new ExactNumber('9007199254740993.125');
      await addItems(app, id, [{ number: 'exact', amount }]);
      const page = await stage().open(`/console/queues/${id}`, { token });
      await page.getByRole('gridcell', { name: '9007199254740993.125' }).waitFor();
      await page.getByRole('grid').getByRole('link').click();
      await page
        .getByRole('region', { name: 'Data', exact: true })
        .getByText('9007199254740993.125')
        .waitFor();
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toMatch(/^Item \d+$/);
    });

    test('are text, whatever they hold', async () => {
      const { app } = stage();
      const id = await createInvoices(app, hostile[0] ?? '');
      await addItems(
        app,
        id,
        hostile.map((text) => ({ number: text, vendor: text })),
      );
      await failItems(app, id, hostile.length, hostile.join('\n'));
      const page = await stage().open(`/console/queues/${id}`, { token });
      await page
        .getByRole('gridcell', { name: hostile[1] ?? '', exact: true })
        .first()
        .waitFor();
      await page.getByText('leftU+202Eright').first().waitFor();
      await page.getByRole('row', { name: /constructor/ }).click();
      await page.getByRole('complementary').getByText('example.invalid').first().waitFor();
      expect(await page.evaluate('window.canary')).toBeUndefined();
      await expectAccessible(page);
    });
  });
}
