import { beforeAll, describe, expect, test } from 'vitest';
import { newMasterKey } from '../../server/src/testing/secrets.ts';
import { failItems } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

const iban = 'DE02-1203-0000';

describe.skipIf(browserFile === undefined)('In a browser, what is personal or secret', () => {
  const stage = setStage(() => ({ masterKey: newMasterKey() }));
  let token = '';
  let [id, itemId] = [0, 0];
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
    const { admin } = stage.app;
    const attributes = [
      { name: 'number' },
      { name: 'iban', isRequired: false, sensitivity: 'PERSONAL' as const },
      { name: 'pin', isRequired: false, sensitivity: 'SECRET' as const },
    ];
    const model = (await admin.createWorkItemModel({ body: { name: 'Payment', attributes } })).body;
    const body = { name: 'Payments', workItemModelId: Number(model.id), displayColumns: ['number', 'iban'] };
    id = Number((await admin.createQueue({ body })).body.id);
    const workItems = [
      { json: { number: 'P-1', iban, pin: '4711' } },
      { json: { number: 'P-2', iban: 'DE99' } },
    ];
    await admin.createWorkItems({ path: { id }, body: { workItems } });
    await failItems(stage.app, id, 1, 'The bank was away');
    const { list } = (await admin.listWorkItems({ path: { id }, body: { sort: [{ field: 'id' }] } })).body;
    itemId = Number(list[0]?.id);
  });
  const open = (address = '', how = {}) => stage.open(`/console/queues/${id}${address}`, { token, ...how });

  test('is hidden in lists and beside them, and found by its whole value only', async () => {
    const page = await open();
    await page.getByRole('row', { name: /P-1/ }).getByText('Hidden: a personal or secret value').waitFor();
    await page.getByRole('row', { name: /P-1/ }).click();
    await page.getByRole('complementary').getByRole('button', { name: 'Show hidden values …' }).waitFor();
    await expectAccessible(page);
    expect(await page.content()).not.toContain(iban);
    await page.keyboard.press('/');
    await page.keyboard.type('iban~DE02');
    await page.keyboard.press('Enter');
    await page.getByText(/^The values of iban are hidden: they are found whole only/).waitFor();
    const found = await open(`?q=iban:${iban}`);
    await found.getByText('1 of 2 items').waitFor();
  });

  test('is shown to whom may, who says why, which is on record, and is hidden again', async () => {
    const page = await open(`/workitems/${itemId}`);
    await page.getByRole('button', { name: 'Show hidden values …' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('pin').uncheck();
    await dialog.getByLabel('Reason, for the timeline').fill('The customer asks on the phone');
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Show', exact: true }).click();
    const data = page.getByRole('region', { name: 'Data', exact: true });
    await data.getByText(iban).waitFor();
    await page.getByText('Hidden values are shown, and that is on record.').waitFor();
    expect(await data.textContent()).not.toContain('4711');
    await expectAccessible(page);
    await page.getByRole('article').getByText('The customer asks on the phone').waitFor();
    const { list } = (await stage.app.admin.listWorkItemEvents({ path: { id, workItemId: itemId } })).body;
    expect(list.at(-1)).toMatchObject({ operation: 'revealWorkItem', changes: { attributes: ['iban'] } });
    await page.getByRole('button', { name: 'Hide now' }).click();
    await page.getByRole('button', { name: 'Show hidden values …' }).waitFor();
    expect(await page.content()).not.toContain(iban);
  });

  test('is hidden again by itself after a minute, and when one leaves', async () => {
    const page = await open(`/workitems/${itemId}`);
    await page.clock.install();
    await page.reload();
    const show = async () => {
      await page.getByRole('button', { name: 'Show hidden values …' }).click();
      await page.getByRole('dialog').getByLabel('Reason, for the timeline').fill('Looked at twice');
      await page.getByRole('dialog').getByRole('button', { name: 'Show', exact: true }).click();
      await page.getByRole('region', { name: 'Data', exact: true }).getByText(iban).waitFor();
    };
    await show();
    await page.clock.runFor(61_000);
    await page.getByRole('button', { name: 'Show hidden values …' }).waitFor();
    expect(await page.content()).not.toContain(iban);
    await show();
    await page.getByRole('link', { name: 'Payments' }).click();
    await page.getByRole('grid').waitFor();
    await page.goBack();
    await page.getByRole('button', { name: 'Show hidden values …' }).waitFor();
    expect(await page.content()).not.toContain(iban);
  });

  test('is shown to nobody else, who is told what it takes', async () => {
    const member = await stage.app.user('mara');
    const path = { id, userId: member.id };
    await stage.app.admin.addOrUpdateQueueMember({ path, body: { role: 'MEMBER' } });
    const page = await open(`/workitems/${itemId}`, {
      token: member.token,
      viewport: { width: 390, height: 844 },
    });
    await page.getByText('This needs the permission revealSensitive.').waitFor();
    expect(await page.getByRole('button', { name: 'Show hidden values …' }).isDisabled()).toBe(true);
    await expectAccessible(page);
  });

  test('stays as it is when the item is corrected, and is replaced by what is typed', async () => {
    const page = await open(`/workitems/${itemId}`);
    const valuesOf = async () => {
      const { body } = await stage.app.admin.revealWorkItem({
        path: { id, workItemId: itemId },
        body: { reason: 'the test looks' },
      });
      return body.json;
    };
    const edit = async (label: string, value: string) => {
      await page.getByRole('button', { name: /^Edit/ }).click();
      await page.getByRole('dialog').getByLabel(label).fill(value);
      await page.getByRole('button', { name: 'Review the changes' }).click();
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    };
    await edit('number', 'P-1a');
    expect(await valuesOf()).toEqual({ number: 'P-1a', iban, pin: '4711' });
    await edit('pin', '0815');
    expect(await valuesOf()).toEqual({ number: 'P-1a', iban, pin: '0815' });
  });
});
