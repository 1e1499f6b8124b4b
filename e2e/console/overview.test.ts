import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { createPool, registerDevice } from '../../server/src/testing/devices.ts';
import { addItems, createInvoices, failItems, hostile } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage, type Stage } from './stage.ts';

describe.skipIf(browserFile === undefined)('The overview in a browser', () => {
  let stage: Stage;
  let token = '';
  let device: { id: number };
  let beat: () => Promise<unknown>;
  beforeAll(async () => {
    stage = await setStage();
    token = await tokenOfAdmin(stage);
    const runner = await stage.app.user('runner', ['AAE_Bot Runner']);
    const registered = await registerDevice(runner, { nickname: 'Runner 1', slots: 2, bots: ['post'] });
    device = { id: Number(registered.id) };
    beat = () => runner.call.heartbeatDevice({ path: device, body: {} });
    await createPool(stage.app, [registered], { name: 'Office' });
  });
  // A device that is silent for long is lost, as it should be.
  beforeEach(() => beat());
  afterEach(() => stage.clear());
  afterAll(() => stage.stop());
  const open = (how = {}) => stage.open('/console/', { token, ...how });
  const needs = (page: Page) => page.getByRole('region', { name: 'Needs a person' });

  test('says that nothing needs a person, at one glance', async () => {
    const page = await open();
    await needs(page).getByText('Nothing needs a person.').waitFor();
    await page.getByRole('link', { name: 'Runner 1: Connected' }).waitFor();
    await expectAccessible(page);
  });

  test('says within seconds what somebody did elsewhere, and leads to the remedy', async () => {
    const page = await open();
    await needs(page).getByText('Nothing needs a person.').waitFor();
    const path = device;
    await stage.app.admin.quarantineDevice({ path, body: { reason: 'posts twice' } });
    await needs(page).getByText('Runner 1 is quarantined: posts twice').waitFor();
    await page.getByRole('link', { name: 'Runner 1: Quarantined' }).waitFor();
    await expectAccessible(page);
    await needs(page).getByRole('link', { name: 'Open device' }).click();
    await page.getByRole('heading', { level: 1, name: 'Runner 1' }).waitFor();
    await stage.app.admin.resumeDevice({ path });
  });

  test('says why a queue stands still, and counts in place as things happen', async () => {
    const { app } = stage;
    const id = await createInvoices(app, 'Invoices');
    await addItems(app, id, [{ number: 'R-1' }]);
    await app.admin.pauseQueue({ path: { id }, body: { reason: 'The ERP is down' } });
    const page = await open();
    await needs(page)
      .getByText(/Invoices: The queue is paused .*: The ERP is down/)
      .waitFor();
    const row = page.getByRole('row', { name: /^Invoices/ });
    await row.getByRole('link', { name: '1 Waiting' }).waitFor();
    await addItems(app, id, [{ number: 'R-2' }, { number: 'R-3' }]);
    await row.getByRole('link', { name: '3 Waiting' }).waitFor();
    await row.getByRole('link', { name: '3 Waiting' }).click();
    await page.getByText('3 items', { exact: true }).waitFor();
    await app.admin.resumeQueue({ path: { id } });
    await failItems(app, id, 3, 'done with');
  });

  test('tells what happened since somebody looked, and hands it over as text', async () => {
    const { app } = stage;
    const page = await open();
    await page.getByText('what happens until you look again is told here').waitFor();
    const id = await createInvoices(app, hostile[0] ?? '');
    await app.admin.pauseQueue({ path: { id }, body: { reason: 'month-end' } });
    const since = page.getByRole('region', { name: 'Since you looked' });
    await since.getByText(`admin paused ${hostile[0]}: month-end`).waitFor();
    await since.getByRole('button', { name: 'Hand over' }).click();
    await since.getByText('Copied.').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toContain('admin paused');
    expect(await page.evaluate('window.canary')).toBeUndefined();
    await since.getByRole('button', { name: 'I have looked' }).click();
    await since.getByText('Nothing that anybody would have to be told of.').waitFor();
  });

  test('fits on a phone, where nothing has to be moved sideways', async () => {
    const page = await open({ viewport: { width: 390, height: 844 } });
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    const [wide, shown] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    );
    expect(wide).toBe(shown);
    await expectAccessible(page);
  });
});
