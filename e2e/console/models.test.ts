import path from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { addItems, createInvoices, hostile } from './fixtures.ts';
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

  test('a queue is made with a model of what somebody pastes, and with who belongs to it', async () => {
    const clerk = await stage.app.user('clerk');
    const page = await open('/console/queues', { viewport: { width: 390, height: 844 } });
    await page.getByRole('link', { name: 'New queue' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Bills');
    await page.getByLabel('Make one from a sample').check();
    await page.getByLabel('Name of the model').fill('Bill');
    const sample = page.getByLabel('A row of names, a table with values, or JSON');
    await sample.fill('{"number":');
    await page.getByRole('button', { name: 'Guess the attributes' }).click();
    await page.getByRole('alert').getByText('This is no JSON').waitFor();
    await sample.fill('number,amount,due\nR-1,1.5,2026-03-01\nR-2,7,\n');
    await page.getByRole('button', { name: 'Guess the attributes' }).click();
    await page.getByLabel('Name of attribute 3').waitFor();
    expect(await page.getByLabel('Type of amount').inputValue()).toBe('NUMBER');
    expect(await page.getByLabel('due is required').isChecked()).toBe(false);
    await page.getByLabel('Order 1').selectOption('-amount');
    await page.getByLabel('User to add').selectOption({ label: 'clerk' });
    await page.getByRole('button', { name: 'Add', exact: true }).first().click();
    await page.getByRole('button', { name: 'Take off clerk' }).waitFor();
    await page.getByRole('main').getByText('More', { exact: true }).click();
    await page.getByLabel('Further tries').fill('2');
    await page.getByText('As command, as curl').click();
    const script = (await page.getByRole('region', { name: 'Command', exact: true }).textContent())?.split(
      '\n',
    );
    expect(script).toEqual([
      expect.stringMatching(/^millrace model create --body '\{"name":"Bill","attributes":\[.*\]\}'$/),
      expect.stringMatching(
        /^millrace queue create --body '.*"autoRetryLimit":2.*"workItemModelId":MODEL_ID\}'$/,
      ),
      `millrace queue set-member QUEUE_ID ${String(clerk.id)} --body '{"role":"MEMBER"}'`,
    ]);
    await expectAccessible(page);
    await picture(page, 'new-queue-390');
    await page.getByRole('button', { name: 'Create the queue' }).click();
    await page.getByRole('heading', { name: 'Bills' }).waitFor();

    const id = Number(/\d+$/.exec(new URL(page.url()).pathname)?.[0]);
    const { body } = await stage.app.admin.getQueue({ path: { id } });
    expect(body).toMatchObject({ name: 'Bills', workItemProcessingOrders: ['-amount'], autoRetryLimit: 2 });
    const members = (await stage.app.admin.listQueueMembers({ path: { id }, body: {} })).body.list;
    expect(members.find(({ userId }) => userId === clerk.id)?.role).toBe('MEMBER');
  });

  test('a queue whose people could not all be added says what is made, and goes on from there', async () => {
    const { app } = stage;
    const [stays, goes] = [await app.user('stays'), await app.user('goes')];
    const page = await open('/console/queues/new', { expected: /status of 4\d\d/ });
    await page.getByLabel('Name', { exact: true }).fill('Half made');
    await page.getByLabel('Make one from a sample').check();
    await page.getByLabel('Name of the model').fill('Half');
    await page.getByLabel('A row of names, a table with values, or JSON').fill('number\nR-1\n');
    await page.getByRole('button', { name: 'Guess the attributes' }).click();
    await page.getByLabel('Name of attribute 1').waitFor();
    for (const label of ['stays', 'goes']) {
      await page.getByLabel('User to add').selectOption({ label });
      await page.getByRole('button', { name: 'Add', exact: true }).first().click();
      await page.getByRole('button', { name: `Take off ${label}` }).waitFor();
    }
    await app.admin.deleteUser({ path: { id: goes.id } });
    await page.getByRole('button', { name: 'Create the queue' }).click();
    await page.getByRole('alert').getByText('goes could not be added: ').waitFor();
    await page.getByText('The model Half is made.').waitFor();
    await page.getByText('The queue Half made is made.').waitFor();
    await page.getByText('stays MEMBER added').waitFor();
    expect(await page.getByLabel('Name', { exact: true }).isDisabled()).toBe(true);
    await page.getByText('As command, as curl').click();
    expect(await page.getByRole('region', { name: 'Command', exact: true }).textContent()).toMatch(
      new RegExp(`^millrace queue set-member \\d+ ${String(goes.id)} --body '{"role":"MEMBER"}'$`),
    );
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Take off goes' }).click();
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('heading', { level: 1, name: 'Half made' }).waitFor();
    const id = Number(/\d+$/.exec(new URL(page.url()).pathname)?.[0]);
    const { list } = (await app.admin.listQueueMembers({ path: { id }, body: {} })).body;
    expect(list.map(({ userId }) => userId)).toContain(stays.id);
  });

  test('a model is changed only after a trial, which names the items that would not fit', async () => {
    const id = await createInvoices(stage.app, 'Tried');
    await addItems(stage.app, id, [{ number: 'R-1' }]);
    const page = await open('/console/workitemmodels');
    await page.getByRole('heading', { name: 'Models' }).waitFor();
    await expectAccessible(page);
    await picture(page, 'models');
    await page.getByRole('link', { name: 'Model of Tried' }).click();
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByLabel('vendor is required').check();
    await page.getByRole('button', { name: 'Try the change' }).click();
    await page.getByText('1 item would not fit any more; correct them first:').waitFor();
    expect(await page.getByRole('button', { name: 'Apply' }).count()).toBe(0);
    const [item] = (await stage.app.admin.listWorkItems({ path: { id }, body: {} })).body.list;
    const told = page.getByRole('listitem').filter({ hasText: 'of Tried' });
    expect(await told.textContent()).toBe(`Item ${item?.id} of Tried: vendor is required`);
    expect(await told.getByRole('link').getAttribute('href')).toBe(
      `/console/queues/${id}/workitems/${item?.id}`,
    );
    const list = page.getByRole('link', { name: 'Those of Tried in a list' });
    expect(await list.getAttribute('href')).toBe(`/console/queues/${id}?q=id:${item?.id}`);
    await expectAccessible(page);
    await picture(page, 'model-trial');
    await page.getByLabel('vendor is required').uncheck();
    await page.getByRole('button', { name: 'Add an attribute' }).click();
    await page.getByLabel('Name of attribute 4').fill('approvedBy');
    await page.getByRole('button', { name: 'Try the change' }).click();
    await page.getByText('It holds in 1 queue with 1 item open. All of them fit.').waitFor();
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('Applied: this is version 1.').waitFor();
    await page.getByLabel('Beside version').selectOption('0');
    await page.getByRole('columnheader', { name: 'In version 0' }).waitFor();
    await expectAccessible(page);
    await picture(page, 'model');
  });

  test('a model is archived, found again, restored and deleted, each after a look at whose queues use it', async () => {
    const { admin } = stage.app;
    const id = await createInvoices(stage.app, 'Lone');
    await admin.archiveQueue({ path: { id } });
    const page = await open('/console/workitemmodels');
    const [dialog, link] = [page.getByRole('dialog'), page.getByRole('link', { name: 'Model of Lone' })];
    await link.click();
    await page.getByRole('button', { name: 'Archive', exact: true }).click();
    await dialog.getByText('1 queue uses it, and nothing changes there:').waitFor();
    await dialog.getByText('(archived)').waitFor();
    await dialog.getByText('As command, as curl').click();
    await dialog.getByText(/^millrace model archive \d+$/).waitFor();
    await expectAccessible(page);
    await picture(page, 'model-archive');
    await dialog.getByRole('button', { name: 'Archive' }).click();
    await page.getByRole('button', { name: 'Restore', exact: true }).waitFor();
    await picture(page, 'model-archived');
    await page.getByLabel('Where this is').getByRole('link', { name: 'Models' }).click();
    await link.waitFor({ state: 'detached' });
    await page.getByLabel('Which models').selectOption('Archived');
    await link.waitFor();
    await expectAccessible(page);
    await picture(page, 'models-archived');
    await link.click();
    await page.getByRole('button', { name: 'Restore', exact: true }).click();
    await dialog.getByText('It can be taken for new queues again.').waitFor();
    await dialog.getByRole('button', { name: 'Restore' }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await dialog.getByText('It cannot be deleted while 1 queue uses it.').waitFor();
    expect(await dialog.getByRole('button', { name: 'Delete' }).isDisabled()).toBe(true);
    await expectAccessible(page);
    await picture(page, 'model-held');
    await page.keyboard.press('Escape');
    expect((await admin.deleteQueue({ path: { id } })).status).toBe(204);
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await dialog.getByText('No queue uses it: it is taken from nobody.').waitFor();
    await dialog.getByLabel('Type Model of Lone to delete it').fill('Model of Lone');
    await expectAccessible(page);
    await picture(page, 'model-delete');
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { level: 1, name: 'Models' }).waitFor();
    const { list } = (await admin.listWorkItemModels({})).body;
    expect(list.map(({ name }) => name)).not.toContain('Model of Lone');
  });

  test('settings are saved after a look at what changes, and a queue that holds items is not deleted', async () => {
    const id = await createInvoices(stage.app, 'Set');
    await addItems(stage.app, id, [{ number: 'R-1' }]);
    const page = await open(`/console/queues/${id}/settings`, { expected: /status of 409/ });
    await page.getByLabel('Further tries').fill('3');
    await page.getByLabel('Wait before a further try').selectOption('EXPONENTIAL');
    await page.getByText('Tried again after 30 s, 1 min 0 s, 2 min 0 s.').waitFor();
    await page.getByLabel('Description').fill(hostile[0] ?? '');
    await page.getByLabel('Before decimals stands').selectOption('COMMA');
    await page.getByLabel('Time zone').fill('Europe/Berlin');
    await expectAccessible(page);
    await picture(page, 'settings');
    await page.getByRole('button', { name: 'Review the changes' }).click();
    await page.getByRole('row', { name: 'Further tries 0 3' }).waitFor();
    await expectAccessible(page);
    await picture(page, 'settings-review');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    const { body } = await stage.app.admin.getQueue({ path: { id } });
    expect(body).toMatchObject({
      autoRetryLimit: 3,
      retryBackOff: { type: 'EXPONENTIAL', seconds: 30 },
      intakeFormat: { decimalSign: 'COMMA', timeZone: 'Europe/Berlin' },
    });

    await page.getByLabel('Type Set to delete it').fill('Set');
    await page.getByRole('button', { name: 'Delete' }).click();
    await page
      .getByRole('alert')
      .getByText(/1 NEW|holds/)
      .waitFor();
    await page.getByRole('button', { name: 'Archive', exact: true }).click();
    await expectAccessible(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Archive' }).click();
    await page.getByRole('button', { name: 'Restore' }).waitFor();
    expect(await page.evaluate('window.canary')).toBeUndefined();
  });

  test('people are added to a queue, changed and taken off, but for its last owner', async () => {
    const id = await createInvoices(stage.app, 'Peopled');
    await stage.app.user('helper');
    const page = await open(`/console/queues/${id}/members`, { expected: /status of 409/ });
    await page.getByLabel('User to add').selectOption({ label: 'helper' });
    await page.getByRole('button', { name: 'Add', exact: true }).first().click();
    await page.getByLabel('What helper may').selectOption('PARTICIPANT');
    await page.getByText('Saved: helper.').waitFor();
    await page.getByLabel('Role to add').selectOption({ label: 'AAE_Bot Runner' });
    await page.getByText('As command, as curl').click();
    await page
      .getByText(new RegExp(`^millrace queue add-consumer ${id} --body '\\{"roleId":\\d+\\}'$`))
      .waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Add', exact: true }).last().click();
    await page.getByRole('button', { name: 'Take off AAE_Bot Runner' }).waitFor();
    await expectAccessible(page);
    await picture(page, 'members');
    await page.getByRole('button', { name: 'Take off helper' }).click();
    await page.getByRole('dialog').getByRole('heading', { name: 'Take off helper' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Take off', exact: true }).click();
    await page.getByText('helper does not belong to the queue any more.').waitFor();
    await page.getByRole('button', { name: 'Take off admin' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Take off', exact: true }).click();
    await page.getByRole('dialog').getByRole('alert').getByText(/owner/).waitFor();
    // The focus stays in the dialog, which Escape then closes.
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });
});
