import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { createAutomation, createPool, registerDevice } from '../../server/src/testing/devices.ts';
import { addItems, createInvoices, failItems, hostile } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

describe.skipIf(browserFile === undefined)('The overview in a browser', () => {
  const stage = setStage();
  let token = '';
  let device: { id: number };
  let beat: () => Promise<unknown>;
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
    const runner = await stage.app.user('runner', ['AAE_Bot Runner']);
    const registered = await registerDevice(runner, { nickname: 'Runner 1', slots: 2, bots: ['post'] });
    device = { id: Number(registered.id) };
    beat = () => runner.call.heartbeatDevice({ path: device, body: {} });
    await createPool(stage.app, [registered], { name: 'Office' });
  });
  // A device that is silent for long is lost, as it should be.
  beforeEach(() => beat());
  const open = (how = {}) => stage.open('/console/', { token, ...how });
  const needs = (page: Page) => page.getByRole('region', { name: 'Needs a person' });

  test('says that nothing needs a person, at one glance', async () => {
    const page = await open();
    await needs(page).getByText('Nothing needs a person.').waitFor();
    await page.getByRole('link', { name: 'Runner 1: Connected' }).waitFor();
    await expectAccessible(page);
  });

  test('has a paused queue go on without leaving the page', async () => {
    const { admin } = stage.app;
    const id = await createInvoices(stage.app, 'Stands still');
    await addItems(stage.app, id, [{ number: 'S-1' }]);
    await admin.pauseQueue({ path: { id }, body: { reason: 'The ERP is down' } });
    const page = await open();
    const need = needs(page).getByRole('listitem').filter({ hasText: 'Stands still' });
    await need.getByRole('link', { name: 'Open queue' }).waitFor();
    await need.getByRole('button', { name: 'Resume Stands still' }).click();
    await page.getByRole('dialog').getByText('Items are granted again at once.').waitFor();
    await expectAccessible(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await need.getByText('The ERP is down').waitFor({ state: 'detached' });
    expect((await admin.getQueue({ path: { id } })).body.status).toBe('ACTIVE');
    await admin.archiveQueue({ path: { id }, body: {} });
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

  test('says when a queue will be done, and leads to what that rests on', async () => {
    const { app } = stage;
    const id = await createInvoices(app, 'Ending');
    await addItems(
      app,
      id,
      Array.from({ length: 14 }, (_, index) => ({ number: `E-${index}` })),
    );
    const claimed = (await app.admin.claimWorkItems({ path: { id }, body: { count: 12 } })).body.list;
    await app.sql(`update work_items set started_on = now() - interval '3 hours' where queue_id = $1`, [id]);
    const results = claimed.map((item) => ({
      id: Number(item.id),
      version: Number(item.version),
      status: 'COMPLETE' as const,
    }));
    await app.admin.finishWorkItems({ path: { id }, body: { results } });
    const page = await open();
    await page.getByRole('columnheader', { name: 'Expected end' }).waitFor();
    await page
      .getByRole('row', { name: /^Ending/ })
      .getByRole('link', { name: /^done in \d+ (hr\.|hours)$/ })
      .click();
    await page.getByRole('heading', { level: 1, name: 'Ending' }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/console/queues/${id}/level`);
    await failItems(app, id, 2, 'ended');
  });

  test('says that the run-as users of an automation are disabled, before anything waits', async () => {
    const { app } = stage;
    const queueId = await createInvoices(app, 'Idle');
    const robot = await app.user('robot');
    const pool = await createPool(app, [], { name: 'Robots' });
    const settings = { name: 'Post at night', runAsUserIds: [robot.id] };
    const automation = await createAutomation(app, { id: queueId }, pool, settings);
    await app.admin.disableUser({ path: { id: robot.id } });
    const page = await open();
    const line = needs(page).getByRole('listitem').filter({ hasText: 'Post at night' });
    await line.getByText('All run-as users of the automation Post at night are disabled').waitFor();
    await expectAccessible(page);
    await line.getByRole('link', { name: 'Open automation' }).click();
    await page.getByRole('heading', { level: 1, name: 'Post at night' }).waitFor();
    await app.admin.deleteAutomation({ path: { id: Number(automation.id) } });
  });

  test('leads from what is in doubt and from a new cause of failures to the repair desk', async () => {
    const { app } = stage;
    const id = await createInvoices(app, 'Failing');
    await addItems(app, id, [{ number: 'N-1' }, { number: 'N-2' }]);
    await failItems(app, id, 1, 'The vendor 4711 is unknown');
    const [item] = (await app.admin.claimWorkItems({ path: { id }, body: {} })).body.list;
    const held = { id: Number(item?.id), version: Number(item?.version) };
    const lease = { ...held, pointOfNoReturn: true as const };
    await app.admin.heartbeatWorkItems({ path: { id }, body: { leases: [lease] } });
    const crashed = { ...held, status: 'FAILED' as const, failureKind: 'SYSTEM' as const, error: 'crashed' };
    await app.admin.finishWorkItems({ path: { id }, body: { results: [crashed] } });
    const page = await open();
    const doubt = needs(page).getByRole('listitem').filter({ hasText: '1 item in Failing is in doubt' });
    const cause = needs(page)
      .getByRole('listitem')
      .filter({ hasText: '1 item in Failing failed for a new cause: The vendor … is unknown' });
    await cause.waitFor();
    await expectAccessible(page);
    await doubt.getByRole('link', { name: 'Settle' }).click();
    await page.getByRole('heading', { name: `Was item ${held.id} done?` }).waitFor();
    await page.getByRole('link', { name: 'Those of all queues' }).waitFor();
    await page.goBack();
    await cause.getByRole('link', { name: 'Repair' }).click();
    await page.getByRole('link', { name: /The vendor … is unknown/ }).waitFor();
  });

  test('keeps each row where it is until somebody asks for the worst first', async () => {
    const { app } = stage;
    await createInvoices(app, 'Order A');
    const second = await createInvoices(app, 'Order B');
    const page = await open();
    const rows = page.getByRole('region', { name: 'Queues' }).getByRole('row', { name: /^Order/ });
    const names = async () =>
      (await rows.getByRole('rowheader').allTextContents()).map((text) => text.slice(0, 7));
    await rows.nth(1).waitFor();
    expect(await names()).toEqual(['Order A', 'Order B']);
    await addItems(app, second, [{ number: 'B-1' }, { number: 'B-2' }, { number: 'B-3' }, { number: 'B-4' }]);
    await failItems(app, second, 1, 'odd');
    await rows.getByRole('link', { name: '3 Waiting', exact: true }).waitFor();
    await rows.getByRole('link', { name: '1 failed', exact: true }).waitFor();
    expect(await names()).toEqual(['Order A', 'Order B']);
    await page.getByRole('button', { name: 'Worst first' }).click();
    await expect.poll(names).toEqual(['Order B', 'Order A']);
    await rows.getByRole('link', { name: '1 failed', exact: true }).click();
    await page.getByRole('row', { name: /Failed B-1/ }).waitFor();
    expect(new URL(page.url()).searchParams.get('q')).toBe('status:FAILED endTime>now-15m');
  });

  test('stands still after l, and catches up after another', async () => {
    const { app } = stage;
    const id = await createInvoices(app, 'Frozen');
    const [page, watching] = [await open(), await open()];
    const count = (on: Page, name: string) =>
      on.getByRole('row', { name: /^Frozen/ }).getByRole('link', { name, exact: true });
    for (const one of [page, watching]) await count(one, '0 Waiting').waitFor();
    await page.bringToFront();
    await page.keyboard.press('l');
    await page.getByRole('button', { name: 'Paused. Go on (l)' }).waitFor();
    await watching.bringToFront();
    await addItems(app, id, [{ number: 'F-1' }]);
    await count(watching, '1 Waiting').waitFor();
    expect(await count(page, '0 Waiting').count()).toBe(1);
    await page.bringToFront();
    await page.keyboard.press('l');
    await count(page, '1 Waiting').waitFor();
  });

  test('tells what happened since somebody looked, behind more events than one answer looks through', async () => {
    const { app } = stage;
    const id = await createInvoices(app, 'Busy night');
    const page = await open();
    const since = page.getByRole('region', { name: 'Since you looked' });
    await page.getByText('what happens until you look again is told here').waitFor();
    await app.sql(
      `insert into events (tenant_id, queue_id, item_id, operation, actor_id, reason, at)
       select tenant_id, id, n, 'expireItems', 0, '', now() from queues, generate_series(1, 21000) n where id = $1`,
      [id],
    );
    await addItems(app, id, [{ number: 'S-1' }]);
    await failItems(app, id, 1, 'The night shift is away');
    const [cluster] = (await app.admin.listFailureClusters({ query: { queueId: id } })).body.list;
    const { signature = '', failureKind = 'BUSINESS' } = cluster ?? {};
    await app.admin.noteFailureCluster({ path: { id }, body: { signature, failureKind, note: 'Ask Bob' } });
    await since.getByText('admin noted about failures in Busy night: Ask Bob').waitFor();
    await since.getByText('New failures, 1 item in Busy night: The night shift is away').waitFor();
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

  test('looks at every queue that stands still, in portions, and says so while the reason of one is unknown', async () => {
    const { app } = stage;
    const ids: number[] = [];
    for (let index = 10; index < 42; index += 1) {
      const id = await createInvoices(app, `Standing ${index}`);
      await addItems(app, id, [{ number: 'Q-1' }]);
      ids.push(id);
    }
    const page = await open({ expected: /status of 500/ });
    for (const index of [10, 41])
      await needs(page)
        .getByText(new RegExp(`^Standing ${index}: `))
        .waitFor();
    const body = { code: 'INTERNAL', message: 'Broken', details: [] };
    await page.route(/explain/, (route) => route.fulfill({ status: 500, json: body }));
    await page.reload();
    await needs(page)
      .getByText(/^0 of \d+ queues that stand still looked at\.$/)
      .waitFor();
    expect(await needs(page).getByText('Nothing needs a person.').count()).toBe(0);
    for (const id of ids) await failItems(app, id, 1, 'looked at');
  });
});
