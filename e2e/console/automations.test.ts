import { beforeAll, describe, expect, test } from 'vitest';
import { createDevice, createLine } from '../../server/src/testing/dispatch.ts';
import { hostile } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

describe.skipIf(browserFile === undefined)('Automations and pools in a browser', () => {
  const stage = setStage();
  let token = '';
  let automation = '';
  let queueId = 0;
  let queueName = '';
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
    const { app } = stage;
    const runner = await app.user('device runner', ['AAE_Bot Runner']);
    const device = await createDevice(runner, { nickname: hostile[0] ?? '' });
    const { lines } = await createLine(app, [device], { name: 'Office' });
    const [{ queue, automation: made }] = lines as [(typeof lines)[0]];
    [automation, queueId] = [made.name, queue.path.id];
    queueName = (await app.admin.getQueue({ path: queue.path })).body.name ?? '';
  });

  const statusOf = async (name: string) => {
    const { list } = (await stage.app.admin.listAutomations()).body;
    return list.find((one) => one.name === name)?.status;
  };

  test('pauses an automation with a reason, says beforehand what that does, and resumes it', async () => {
    const page = await stage.open(`/console/queues/${queueId}`, { token });
    await page.getByRole('link', { name: 'Automations', exact: true }).last().click();
    await page.getByRole('heading', { level: 2, name: 'Automations' }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/console/queues/${queueId}/automations`);
    const row = page.getByRole('row', { name: new RegExp(automation) });
    await row.getByRole('button', { name: 'Pause' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(`No further item of ${queueName} goes to a device by it.`).waitFor();
    await page.keyboard.type('The ERP is down');
    await dialog.getByText('As command, as curl').click();
    await dialog
      .getByText(/"statusReason":"The ERP is down"/)
      .first()
      .waitFor();
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await row.getByText('Paused: The ERP is down').waitFor();
    expect(await statusOf(automation)).toBe('PAUSED');
    await row.getByRole('button', { name: 'Resume' }).click();
    await dialog.getByRole('button', { name: 'Resume' }).click();
    await row.getByText('Active').waitFor();
    expect(await statusOf(automation)).toBe('ACTIVE');
  });

  test('makes an automation, changes it and deletes it', async () => {
    const { id: workItemModelId = 0 } = (
      await stage.app.admin.createWorkItemModel({
        body: { name: 'Bare', attributes: [{ name: 'a', type: 'TEXT' }] },
      })
    ).body;
    await stage.app.admin.createQueue({ body: { name: 'Free', workItemModelId } });
    const page = await stage.open('/console/automations', { token });
    await page.getByRole('button', { name: 'New automation' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Automation', { exact: true }).fill('Mail');
    await dialog.getByLabel('Items of the queue').selectOption('Free');
    await dialog.getByLabel('To the devices of the pool').selectOption('Office');
    await dialog.getByLabel('By the bot').fill('bot');
    await dialog.getByText('Of 1 device in the pool, 1 has the bot and the labels.').waitFor();
    await dialog.getByLabel('admin').check();
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Create' }).click();
    const row = page.getByRole('row', { name: /^Mail/ });
    await row.getByText('admin').waitFor();
    await row.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByLabel('By the bot').fill('other');
    await dialog.getByText('Of 1 device in the pool, 0 have the bot and the labels.').waitFor();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await row.getByText('0 of 1').waitFor();
    await row.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByText('No further item of Free goes to a device by it.').waitFor();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await row.waitFor({ state: 'detached' });
    expect(await statusOf('Mail')).toBeUndefined();
  });

  test('makes a pool, puts a device in, says what moves, and deletes it', async () => {
    const page = await stage.open('/console/pools', { token });
    await page.getByRole('button', { name: 'New pool' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Night');
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Create' }).click();
    const pool = page.getByRole('region', { name: 'Night' });
    await pool.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByLabel(hostile[0] ?? '').check();
    await dialog.getByText('1 device comes into it.').waitFor();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await pool.getByText('1 device').waitFor();
    await pool.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByText('1 device stays, and gets no more items by it.').waitFor();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await pool.waitFor({ state: 'detached' });
    await page.getByRole('region', { name: 'Office' }).getByRole('button', { name: 'Delete' }).click();
    await dialog.getByText(`It is refused as long as automations send items to it: ${automation}.`).waitFor();
  });

  test('gives a device a nickname and labels, beside what somebody else changed meanwhile', async () => {
    const { app } = stage;
    const runner = await app.user('labelled runner', ['AAE_Bot Runner']);
    const { path } = await createDevice(runner, { nickname: '', labels: ['sap'] });
    const page = await stage.open(`/console/devices/${path.id}`, { token, expected: /status of 409/ });
    const { hostName, version } = (await app.admin.getDevice({ path })).body;
    await page.getByRole('button', { name: 'Edit' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(`Without one it is shown as ${hostName}`).waitFor();
    expect(await dialog.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await dialog.getByLabel('Nickname').fill('Berlin 4');
    await expectAccessible(page);
    await app.admin.updateDevice({ path, body: { version, labels: ['excel'] } });
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('row', { name: 'Labels sap excel' }).waitFor();
    await dialog.getByRole('button', { name: 'Apply mine to theirs' }).click();
    await dialog.getByLabel('Labels').fill('excel, germany, , excel');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { level: 1, name: 'Berlin 4' }).waitFor();
    const { nickname, labels } = (await app.admin.getDevice({ path })).body;
    expect([nickname, labels]).toEqual(['Berlin 4', ['excel', 'germany']]);
  });

  test('deletes a device, and says before what that does', async () => {
    const runner = await stage.app.user('other runner', ['AAE_Bot Runner']);
    const { path } = await createDevice(runner, { nickname: 'Old' });
    const page = await stage.open(`/console/devices/${path.id}`, { token });
    await page.getByRole('button', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('It leaves its pools.').waitFor();
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { level: 1, name: 'Devices' }).waitFor();
    await page.getByRole('article', { name: 'Old' }).waitFor({ state: 'detached' });
    expect((await stage.app.admin.getDevice({ path })).status).toBe(404);
  });

  test('says who may see and change what, to those who may not', async () => {
    const { token: auditor } = await stage.app.user('auditor', ['AAE_Auditor']);
    const looked = await stage.open('/console/automations', { token: auditor });
    const row = looked.getByRole('row', { name: new RegExp(automation) });
    await row.getByText(/^For owners of its queue or its pool.* Owners: ./).waitFor();
    expect(await row.getByRole('button', { name: 'Pause' }).isDisabled()).toBe(true);
    await looked.getByText('New automations need the permission runAutomations.').waitFor();
    await expectAccessible(looked);
    const { token: own } = await stage.app.user('stranger', ['AAE_Basic']);
    for (const [address, title] of [
      ['automations', 'You see no automation.'],
      ['pools', 'You see no pool.'],
      ['devices', 'You see no device.'],
    ] as const) {
      const page = await stage.open(`/console/${address}`, { token: own });
      await page.getByRole('heading', { name: title }).waitFor();
      await expectAccessible(page);
    }
  });

  test('does not count devices to a member who sees none', async () => {
    const { id, token: own } = await stage.app.user('member', ['AAE_Basic']);
    await stage.app.admin.addOrUpdateQueueMember({
      path: { id: queueId, userId: id },
      body: { role: 'MEMBER' },
    });
    const page = await stage.open('/console/automations', { token: own });
    const row = page.getByRole('row', { name: new RegExp(automation) });
    await row.getByText('For those who see its pool').waitFor();
    expect(await row.getByText('0 of 0').count()).toBe(0);
  });

  test('fits on a phone', async () => {
    for (const address of ['automations', 'pools']) {
      const page = await stage.open(`/console/${address}`, { token, viewport: { width: 390, height: 844 } });
      await page.getByRole('button', { name: /^New / }).waitFor();
      const [wide, shown] = await page.evaluate<[number, number]>(
        '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
      );
      expect(wide, address).toBe(shown);
      await expectAccessible(page);
    }
  });
});
