import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { addItems, createInvoices, failItems } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

const link = (page: Page, name: string) => page.getByRole('link', { name, exact: true });

async function isLive(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Live. Pause (l)' }).waitFor();
}

describe.skipIf(browserFile === undefined)('In a browser, what is on screen', () => {
  const stage = setStage();
  let token = '';
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
  });

  test('follows what happens: counters add up, rows change where they stand, and new ones wait to be shown', async () => {
    const { app } = stage;
    const id = await createInvoices(app, 'Followed');
    await addItems(app, id, [{ number: 'F-1' }, { number: 'F-2' }]);
    const page = await stage.open(`/console/queues/${id}?sort=id`, { token });
    await page.getByRole('row', { name: /F-2/ }).waitFor();
    await isLive(page);
    await failItems(app, id, 1, 'The ERP was away');
    await addItems(app, id, [{ number: 'F-3' }]);
    await page.getByRole('row', { name: /Failed F-1/ }).waitFor();
    await link(page, '1 Failed').waitFor();
    await link(page, '2 Waiting').waitFor();
    const more = page.getByRole('button', { name: '1 new' });
    await more.waitFor();
    expect(await page.getByRole('row', { name: /F-3/ }).count()).toBe(0);
    await expectAccessible(page);
    await more.click();
    await page.getByRole('row', { name: /F-3/ }).waitFor();
    expect(await more.count()).toBe(0);
  });

  test('is told to all tabs by one of them, and by the next when that one is closed', async () => {
    const { app } = stage;
    const id = await createInvoices(app, 'In two tabs');
    const first = await stage.open(`/console/queues/${id}`, { token });
    await isLive(first);
    const second = await first.context().newPage();
    await second.addInitScript(`sessionStorage.setItem('millrace-token', ${JSON.stringify(token)})`);
    await second.goto(first.url());
    await isLive(second);
    expect([first.workers().length, second.workers().length]).toEqual([1, 0]);
    await addItems(app, id, [{ number: 'T-1' }]);
    await link(first, '1 Waiting').waitFor();
    await second.bringToFront();
    await link(second, '1 Waiting').waitFor();
    await first.close();
    await expect.poll(() => second.workers().length).toBe(1);
    await isLive(second);
    await addItems(app, id, [{ number: 'T-2' }]);
    await link(second, '2 Waiting').waitFor();
  });

  test('stands still after l, and catches up after another', async () => {
    const { app } = stage;
    const [still, other] = [await createInvoices(app, 'Still'), await createInvoices(app, 'Beside')];
    const page = await stage.open(`/console/queues/${still}`, { token });
    await isLive(page);
    await page.keyboard.press('l');
    await page.getByRole('button', { name: 'Paused. Go on (l)' }).waitFor();
    await expectAccessible(page);
    const watching = await stage.open(`/console/queues/${other}`, { token });
    await isLive(watching);
    await addItems(app, still, [{ number: 'S-1' }]);
    await addItems(app, other, [{ number: 'S-2' }]);
    // Told in the order of the feed: when the later one has come, the earlier one had its chance.
    await link(watching, '1 Waiting').waitFor();
    expect(await link(page, '0 Waiting').count()).toBe(1);
    await page.bringToFront();
    await page.keyboard.press('l');
    await link(page, '1 Waiting').waitFor();
    const row = page.getByRole('row', { name: /S-1/ });
    const more = page.getByRole('button', { name: '1 new' });
    await row.or(more).first().waitFor();
    // The stream of this page may be slower than the other's: events after that wait to be asked for, as any news.
    if (await more.isVisible()) await more.click();
    await row.waitFor();
  });

  test('keeps its rows where they are when a pause ends, and says that there is more', async () => {
    const { app } = stage;
    const id = await createInvoices(app, 'Paused');
    await addItems(app, id, [{ number: 'P-1' }]);
    const page = await stage.open(`/console/queues/${id}`, { token });
    await page.getByRole('row', { name: /P-1/ }).waitFor();
    await isLive(page);
    await page.keyboard.press('l');
    await page.getByRole('button', { name: 'Paused. Go on (l)' }).waitFor();
    await addItems(app, id, [{ number: 'P-2' }]);
    await page.keyboard.press('l');
    await link(page, '2 Waiting').waitFor();
    await page.getByRole('button', { name: /new|changed/i }).waitFor();
    expect(await page.getByRole('row', { name: /P-2/ }).count()).toBe(0);
  });

  test('says how long ago things were as time goes on, and holds that after l', async () => {
    const { app } = stage;
    const id = await createInvoices(app, 'Ageing');
    await addItems(app, id, [{ number: 'A-1' }]);
    const [item] = (await app.admin.listWorkItems({ path: { id }, body: {} })).body.list;
    const page = await stage.open('/console/queues', { token });
    await page.clock.install();
    await page.goto(`${app.url}/console/queues/${id}/workitems/${item?.id}`);
    await isLive(page);
    const age = page.getByRole('time').first();
    await age.waitFor();
    await page.clock.fastForward('05:00');
    await page
      .getByText(/^[5-9] min\. ago$/)
      .first()
      .waitFor();
    await page.keyboard.press('l');
    await page.getByRole('button', { name: 'Paused. Go on (l)' }).waitFor();
    const held = await age.textContent();
    await page.clock.fastForward('30:00');
    expect(await age.textContent()).toBe(held);
    await page.keyboard.press('l');
    await page
      .getByText(/^3\d min\. ago$/)
      .first()
      .waitFor();
  });

  test('shows an item as it becomes, with its timeline', async () => {
    const { app } = stage;
    const id = await createInvoices(app, 'Watched');
    await addItems(app, id, [{ number: 'W-1' }]);
    const [item] = (await app.admin.listWorkItems({ path: { id }, body: {} })).body.list;
    const page = await stage.open(`/console/queues/${id}/workitems/${item?.id}`, { token });
    await isLive(page);
    await failItems(app, id, 1, 'The ERP was away');
    await page.getByRole('button', { name: 'Restart' }).waitFor();
    await page.getByText('reported on this item').waitFor();
  });
});
