import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { createDevice, createLine } from '../../server/src/testing/dispatch.ts';
import { createInvoices } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

describe.skipIf(browserFile === undefined)('Where somebody else was faster, in a browser,', () => {
  const stage = setStage();
  let token = '';
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
  });
  const open = (address: string) => stage.open(address, { token, expected: /status of 409/ });

  /** Sees what another has changed, and applies the own changes to that. */
  async function takeIn(page: Page, row: string | RegExp): Promise<void> {
    await page.getByRole('alert').getByText('Nothing of yours is lost').waitFor();
    await page.getByRole('row', { name: row }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Apply mine to theirs' }).click();
  }

  test('the settings of a queue take in what was saved in another browser, and say where both changed the same', async () => {
    const id = await createInvoices(stage.app, 'Shared');
    const [mine, other] = [
      await open(`/console/queues/${id}/settings`),
      await open(`/console/queues/${id}/settings`),
    ];
    await mine.getByLabel('Further tries').fill('3');
    await mine.getByLabel('Description').fill('Of the north');
    await other.getByLabel('Further tries').fill('5');
    await other.getByLabel('Silent holders in a row').fill('4');
    await other.getByRole('button', { name: 'Review the changes' }).click();
    await other.getByRole('button', { name: 'Save' }).click();
    await other.getByText('Saved.').waitFor();

    expect(await mine.getByLabel('Description').inputValue()).toBe('Of the north');
    await mine.getByRole('button', { name: 'Review the changes' }).click();
    await mine.getByRole('row', { name: 'Further tries 0 3' }).waitFor();
    await mine.getByRole('button', { name: 'Save' }).click();
    await mine.getByText('your value would go in its place: Further tries.').waitFor();
    await takeIn(mine, 'Further tries 0 5');
    await mine.getByRole('row', { name: 'Further tries 5 3' }).waitFor();
    await mine.getByRole('row', { name: 'Description none Of the north' }).waitFor();
    await mine.getByRole('button', { name: 'Save' }).click();
    await mine.getByText('Saved.').waitFor();
    const { body } = await stage.app.admin.getQueue({ path: { id } });
    expect(body).toMatchObject({ autoRetryLimit: 3, lapseLimit: 4, description: 'Of the north' });
    // Where nothing is typed, the form follows by itself.
    await expect.poll(() => other.getByLabel('Description').inputValue()).toBe('Of the north');
  });

  test('a pool and an automation take it in, with the names of what was chosen', async () => {
    const { app } = stage;
    const runner = await app.user('a runner', ['AAE_Bot Runner']);
    const device = await createDevice(runner, { nickname: 'Runner 1' });
    const { pool, lines } = await createLine(app, [device], { name: 'Office' });
    const page = await open('/console/pools');
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Description').fill('By day');
    const path = { id: Number(pool.id) };
    await app.admin.updatePool({ path, body: { version: pool.version, scheme: 'PRIORITY', deviceIds: [] } });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('row', { name: 'Devices Runner 1 none' }).waitFor();
    await takeIn(page, /The one of the highest priority$/);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const stored = (await app.admin.getPool({ path })).body;
    expect(stored).toMatchObject({ description: 'By day', scheme: 'PRIORITY', deviceIds: [] });

    const [{ automation }] = lines as [(typeof lines)[0]];
    const its = { id: Number(automation.id) };
    await page.goto(`${app.url}/console/automations/${its.id}`);
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Priority, 0 to 9').fill('7');
    await app.admin.updateAutomation({ path: its, body: { version: automation.version, labels: ['sap'] } });
    await page.getByRole('button', { name: 'Save' }).click();
    await takeIn(page, 'On devices with the labels none sap');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const sent = (await app.admin.getAutomation({ path: its })).body;
    expect(sent).toMatchObject({ priority: 7, labels: ['sap'] });

    // So does a pause, which keeps its reason meanwhile.
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByRole('dialog').getByRole('textbox').fill('The ERP is away');
    await app.admin.updateAutomation({ path: its, body: { version: sent.version, labels: [] } });
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await takeIn(page, 'On devices with the labels sap none');
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const paused = (await app.admin.getAutomation({ path: its })).body;
    expect(paused).toMatchObject({ status: 'PAUSED', statusReason: 'The ERP is away', labels: [] });
  });

  test('a model keeps the attribute that somebody added meanwhile, and is tried anew', async () => {
    const { admin } = stage.app;
    const id = await createInvoices(stage.app, 'Modelled');
    const { workItemModelId } = (await admin.getQueue({ path: { id } })).body;
    const path = { id: Number(workItemModelId) };
    const page = await open(`/console/workitemmodels/${path.id}`);
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByLabel('Type of amount').selectOption('TEXT');
    const { attributes = [], version = 0 } = (await admin.getWorkItemModel({ path })).body;
    const added = { name: 'approvedBy', type: 'TEXT' as const, isRequired: false };
    const [first, vendor, ...rest] = attributes;
    const theirs = [...rest, { ...vendor, type: 'NUMBER' as const }, { ...first }, added];
    await admin.updateWorkItemModel({ path, body: { version, attributes: theirs } });
    await page.getByRole('button', { name: 'Try the change' }).click();
    const order = 'number, vendor, amount amount, vendor, number, approvedBy';
    await page.getByRole('row', { name: `Order of the attributes ${order}` }).waitFor();
    await takeIn(page, 'approvedBy none approvedBy: Text, optional');
    await expect
      .poll(() => page.evaluate(`document.activeElement.getAttribute('aria-label')`))
      .toBe('Name of attribute 1');
    await page.getByRole('button', { name: 'Try the change' }).click();
    await page.getByRole('button', { name: 'Apply', exact: true }).click();
    await page.getByText('Applied: this is version 2.').waitFor();
    const { body } = await admin.getWorkItemModel({ path });
    expect(body.attributes?.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'amount TEXT',
      'vendor NUMBER',
      'number TEXT',
      'approvedBy TEXT',
    ]);
  });

  test('a model makes the attribute anew that somebody removed while it was changed', async () => {
    const { admin } = stage.app;
    const texts = ['number', 'vendor', 'amount'].map((name) => ({ name, type: 'TEXT' as const }));
    const made = await admin.createWorkItemModel({ body: { name: 'Removed meanwhile', attributes: texts } });
    const path = { id: Number(made.body.id) };
    const page = await open(`/console/workitemmodels/${path.id}`);
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByLabel('Type of vendor').selectOption('NUMBER');
    const { attributes = [], version = 0 } = (await admin.getWorkItemModel({ path })).body;
    const theirs = attributes.filter(({ name }) => name !== 'vendor');
    const removal = await admin.updateWorkItemModel({ path, body: { version, attributes: theirs } });
    expect(removal.status).toBe(200);
    await page.getByRole('button', { name: 'Try the change' }).click();
    await page.getByText('your value would go in its place: vendor.').waitFor();
    await takeIn(page, 'vendor vendor: Text, required none');
    await page.getByRole('button', { name: 'Try the change' }).click();
    await page.getByRole('button', { name: 'Apply', exact: true }).click();
    await page.getByText('Applied: this is version 2.').waitFor();
    const { body } = await admin.getWorkItemModel({ path });
    expect(body.attributes?.map(({ name, type }) => `${name} ${type}`).toSorted()).toEqual([
      'amount TEXT',
      'number TEXT',
      'vendor NUMBER',
    ]);
  });

  test('a view keeps the sharing that somebody chose meanwhile, and gets the new name', async () => {
    const { admin } = stage.app;
    const queueId = await createInvoices(stage.app, 'Viewed');
    const wanted = {
      name: 'Mine',
      page: 'ITEMS' as const,
      queueId,
      shared: false,
      query: 'status:NEW',
      sort: '',
      columns: [],
    };
    const { body: view } = await admin.createView({ body: wanted });
    const path = { id: Number(view.id) };
    const page = await open(`/console/queues/${queueId}?q=status:NEW&view=${path.id}`);
    await page.getByRole('button', { name: 'View: Mine' }).click();
    await page.getByRole('menuitem', { name: 'Rename or share …' }).click();
    await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('Waiting');
    await admin.updateView({ path, body: { version: view.version, shared: true } });
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await takeIn(page, 'Shared no yes');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'View: Waiting' }).waitFor();
    expect((await admin.getView({ path })).body).toMatchObject({ name: 'Waiting', shared: true });
  });

  test('a user takes it in', async () => {
    const { admin } = stage.app;
    const { body: user } = await admin.createUser({ body: { username: 'rosa' } });
    const path = { id: Number(user.id) };
    const page = await open(`/console/users/${path.id}`);
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByLabel('First name').fill('Rosa');
    await admin.updateUser({ path, body: { version: user.version, email: 'rosa@example.com' } });
    await page.getByRole('button', { name: 'Save' }).click();
    await takeIn(page, /none rosa@example\.com$/);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const stored = (await admin.getUser({ path })).body;
    expect(stored).toMatchObject({ firstName: 'Rosa', email: 'rosa@example.com' });
  });

  test('a role takes it in, and is tried anew', async () => {
    const { admin } = stage.app;
    const { body: role } = await admin.createRole({ body: { name: 'Clerks', permissions: ['useQueues'] } });
    const its = { id: Number(role.id) };
    const page = await open(`/console/roles/${its.id}`);
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByLabel('Description').fill('Who post');
    const permissions = ['useQueues', 'createQueues'] as const;
    await admin.updateRole({ path: its, body: { version: role.version, permissions: [...permissions] } });
    await page.getByRole('button', { name: 'Say what it takes' }).click();
    await takeIn(page, /^Grants/);
    await page.getByRole('button', { name: 'Say what it takes' }).click();
    await page.getByRole('button', { name: 'Apply', exact: true }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const kept = (await admin.getRole({ path: its })).body;
    expect(kept).toMatchObject({
      description: 'Who post',
      permissions: expect.arrayContaining(['createQueues']),
    });
  });

  test('a calendar takes in the hours of a day', async () => {
    const { admin } = stage.app;
    const hours = [{ day: 'MONDAY' as const, from: '09:00', to: '17:00' }];
    const { body } = await admin.createCalendar({
      body: { name: 'Office hours', timeZone: 'UTC', hours, holidays: [] },
    });
    const path = { id: Number(body.id) };
    const page = await open('/console/calendars');
    await page.getByRole('button', { name: 'Change Office hours' }).click();
    await page.getByLabel('Tuesday').fill('10:00-12:00');
    const later = [{ day: 'MONDAY' as const, from: '08:00', to: '16:00' }];
    await admin.updateCalendar({ path, body: { version: body.version, hours: later } });
    await page.getByRole('button', { name: 'Save' }).click();
    await takeIn(page, 'Monday 09:00-17:00 08:00-16:00');
    await expect.poll(() => page.evaluate(`document.activeElement.tagName`)).toBe('INPUT');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const stored = (await admin.getCalendar({ path })).body.hours.map(({ day, from }) => `${day} ${from}`);
    expect(stored).toEqual(expect.arrayContaining(['MONDAY 08:00', 'TUESDAY 10:00']));
  });

  test('a promise takes it in, and nothing typed is lost when somebody else promises or removes something', async () => {
    const { admin } = stage.app;
    const path = { id: await createInvoices(stage.app, 'Promised') };
    const { body } = await admin.setQueueLevel({ path, body: { longestWaitMinutes: 240 } });
    const page = await open(`/console/queues/${path.id}/level`);
    await page.getByLabel('What an hour of people costs').fill('42');
    await admin.setQueueLevel({ path, body: { version: body.version, longestWaitMinutes: 60 } });
    await page.getByRole('button', { name: 'Save' }).click();
    await takeIn(page, 'Longest wait, in minutes 240 60');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    const stored = (await admin.getQueueLevel({ path })).body;
    expect(stored).toMatchObject({ longestWaitMinutes: 60, hourlyCost: 42 });
    // A promise that somebody has changed is not taken away unseen.
    await page.getByLabel('What is promised').selectOption('Nothing');
    await page.getByLabel('What an hour of people costs').fill('');
    const { version } = stored;
    await admin.setQueueLevel({
      path,
      body: { version, longestWaitMinutes: 30, hourlyCost: 42, currency: 'EUR' },
    });
    await page.getByRole('button', { name: 'Save' }).click();
    await takeIn(page, 'Longest wait, in minutes 60 30');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect((await admin.getQueueLevel({ path })).body).toMatchObject({ longestWaitMinutes: 30 });
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(async () => (await admin.getQueueLevel({ path })).body.version).toBe(0);
    await admin.setQueueLevel({ path, body: { longestWaitMinutes: 90 } });
    await expect.poll(() => page.getByLabel('Longest wait, in minutes').inputValue()).toBe('90');
    // Where nothing is typed, the form follows by itself.
    await admin.removeQueueLevel({ path });
    await expect.poll(() => page.getByLabel('What is promised').inputValue()).toBe('');
  });
});
