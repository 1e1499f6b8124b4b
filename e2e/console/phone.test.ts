import type { Page } from 'playwright-core';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDevice } from '../../server/src/testing/dispatch.ts';
import { addItems, createInvoices, leaveInDoubt } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { button, dialog, link, pause, region, title } from './scene.ts';
import { browserFile, setStage } from './stage.ts';

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

describe.skipIf(browserFile === undefined)('On a phone, by touch alone, one', () => {
  const stage = setStage();
  let token = '';
  let beat: () => Promise<unknown>;
  let device = 0;
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
    const runner = await stage.app.user('phone runner', ['AAE_Bot Runner']);
    const { path } = await createDevice(runner, { nickname: 'Runner 1', slots: 4 });
    device = path.id;
    beat = () => runner.call.heartbeatDevice({ path, body: {} });
  });
  // A device that is silent for long is lost, as it should be.
  beforeEach(() => beat());

  async function begin(address = ''): Promise<Page> {
    const page = await stage.open(`/console/${address}`, { token, ...phone });
    await page.getByRole('heading', { level: 1 }).waitFor();
    return page;
  }
  const needs = (page: Page) => region(page, 'Needs a person');

  test('sees whether all is well', async () => {
    const page = await begin();
    await needs(page).getByText('Nothing needs a person.').waitFor();
  });

  test('learns why a queue does not move, and has it go on', async () => {
    const { admin } = stage.app;
    const id = await createInvoices(stage.app, 'Stuck');
    await addItems(stage.app, id, [{ number: 'S-1' }]);
    await admin.pauseQueue({ path: { id }, body: { reason: 'The ERP is down' } });
    const page = await begin();
    const line = needs(page).getByRole('listitem').filter({ hasText: 'Stuck' });
    await line.getByText(/^Stuck: The queue is paused since .*: The ERP is down/).waitFor();
    await line.getByRole('button', { name: 'Resume Stuck' }).tap();
    await dialog(page).getByRole('button', { name: 'Resume' }).tap();
    await dialog(page).waitFor({ state: 'detached' });
    await expect.poll(async () => (await admin.getQueue({ path: { id } })).body.status).toBe('ACTIVE');
    await admin.claimWorkItems({ path: { id }, body: { count: 1 } });
  });

  test('settles what is in doubt', async () => {
    const id = await createInvoices(stage.app, 'Doubtful');
    await addItems(stage.app, id, [{ number: 'D-1' }]);
    const workItemId = await leaveInDoubt(stage.app, id);
    const page = await begin();
    const line = needs(page).getByRole('listitem').filter({ hasText: 'Doubtful' });
    await line.getByRole('link', { name: 'Settle' }).tap();
    await page.getByRole('heading', { name: `Was item ${workItemId} done?` }).waitFor();
    await page.getByText('60 % payment sent').waitFor();
    await button(page, /It was done/).tap();
    await button(page, 'Answer, and show the next').tap();
    await page.getByRole('heading', { name: 'Nothing is in doubt in this queue.' }).waitFor();
    const { body } = await stage.app.admin.getWorkItem({ path: { id, workItemId } });
    expect(body.status).toBe('COMPLETE');
  });

  test('pauses a queue while a system is down', async () => {
    const id = await createInvoices(stage.app, 'Held up');
    const page = await begin();
    await link(page, 'Held up').tap();
    await title(page, 'Held up').waitFor();
    await pause(page).tap();
    await dialog(page).getByLabel('Reason, for the others').fill('The ERP is away');
    await dialog(page).getByRole('button', { name: 'Pause' }).tap();
    await page.getByText(/^Paused by admin: The ERP is away/).waitFor();
    const { body } = await stage.app.admin.getQueue({ path: { id } });
    expect(body.pause).toMatchObject({ reason: 'The ERP is away' });
  });

  test('takes a device out of use that misbehaves', async () => {
    const page = await begin('devices');
    const card = page.getByRole('article', { name: 'Runner 1' });
    await card.getByRole('button', { name: 'Quarantine' }).tap();
    await dialog(page)
      .getByText(/nothing runs on it/)
      .waitFor();
    await dialog(page).getByLabel('Reason').fill('It books twice');
    await dialog(page).getByRole('button', { name: 'Quarantine' }).tap();
    await card.getByText('Quarantined: It books twice').waitFor();
    const { body } = await stage.app.admin.getDevice({ path: { id: device } });
    expect(body.state).toBe('QUARANTINED');
  });
});
