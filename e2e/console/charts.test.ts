import { beforeAll, describe, expect, test } from 'vitest';
import { addItems, createInvoices, failItems, hostile } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

describe.skipIf(browserFile === undefined)('In a browser, what became of a queue over time', () => {
  const stage = setStage();
  let token = '';
  let id = 0;
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
    id = await createInvoices(stage.app, hostile[0] ?? '');
    await addItems(
      stage.app,
      id,
      Array.from({ length: 12 }, (_, index) => ({ number: `C-${index}` })),
    );
    await failItems(stage.app, id, 5, 'The ERP was away');
  });

  test('is told by sentences, pictures that keys go through, and tables, each span with the way to its items', async () => {
    const page = await stage.open(`/console/queues/${id}`, { token });
    await page.getByRole('link', { name: 'Charts' }).click();
    const flow = page.getByRole('region', { name: /^Came in, done and failed, per 15 minutes/ });
    await flow.getByText('12 items came in, 0 were done and 5 failed.').waitFor();
    await page.getByText(/^The queue is there since .*; hatched is what was before/).waitFor();
    await expectAccessible(page);
    const cursor = flow.getByRole('slider');
    await cursor.focus();
    await page.keyboard.press('Home');
    expect(await cursor.getAttribute('aria-valuetext')).toMatch(
      /Done no data, Failed no data, Came in no data/,
    );
    await page.keyboard.press('End');
    // The minute may have gone into the span before the last.
    if (!(await cursor.getAttribute('aria-valuetext'))?.includes('Came in 12'))
      await page.keyboard.press('ArrowLeft');
    expect(await cursor.getAttribute('aria-valuetext')).toMatch(/Done 0, Failed 5, Came in 12/);
    await expectAccessible(page);
    await flow.getByRole('link', { name: 'Items that ended then' }).click();
    await page.getByText('5 of 12 items').waitFor();
    await page.goBack();
    await flow.getByRole('button', { name: 'As a table' }).click();
    await flow.getByRole('cell', { name: 'no data' }).first().waitFor();
    expect(await flow.getByRole('row').count()).toBe(97);
    await expectAccessible(page);
    expect(await page.evaluate('window.canary')).toBeUndefined();
  });

  test('leads from a stretch of spans to the items of all of them', async () => {
    const page = await stage.open(`/console/queues/${id}/charts`, { token });
    const flow = page.getByRole('region', { name: /^Came in, done and failed, per 15 minutes/ });
    const cursor = flow.getByRole('slider');
    await cursor.focus();
    await page.keyboard.press('End');
    for (const _ of [1, 2, 3]) await page.keyboard.press('Shift+ArrowLeft');
    expect(await cursor.getAttribute('aria-valuetext')).toMatch(/ to .*: Done 0, Failed 5, Came in 12\.$/);
    const backlog = page.getByRole('region', { name: 'Waiting and in progress' });
    await backlog.getByRole('slider').focus();
    await page.keyboard.press('End');
    await page.keyboard.press('Shift+ArrowLeft');
    expect(await backlog.getByRole('slider').getAttribute('aria-valuetext')).toMatch(/Waiting 7 at most/);
    await flow.getByRole('link', { name: 'Items that ended then' }).click();
    await page.getByText('5 of 12 items').waitFor();
  });

  test('has what was done to the queue as marks, in words beside them, in the table and in a list', async () => {
    const { app } = stage;
    const acted = await createInvoices(app, 'Acted on');
    const path = { id: acted };
    await app.admin.pauseQueue({ path, body: { reason: hostile[4] ?? '' } });
    await app.admin.resumeQueue({ path, body: { reason: 'SAP is back' } });
    const page = await stage.open(`/console/queues/${acted}/charts?range=12mo`, { token });
    const flow = page.getByRole('region', { name: /^Came in/ });
    const cursor = flow.getByRole('slider');
    await cursor.focus();
    await page.keyboard.press('End');
    const told = /paused the queue: .+\. \w+ resumed the queue: SAP is back\.$/;
    await expect.poll(() => cursor.getAttribute('aria-valuetext')).toMatch(told);
    await flow.getByText('resumed the queue: SAP is back.').waitFor();
    await flow.getByText('What was done').waitFor();
    await expectAccessible(page);
    await flow.getByRole('button', { name: 'As a table' }).click();
    await flow.getByRole('columnheader', { name: 'What was done' }).waitFor();
    await flow.getByRole('cell', { name: /resumed the queue: SAP is back\./ }).waitFor();
    await expectAccessible(page);
    const done = page.getByRole('region', { name: 'What was done' });
    expect(await done.getByRole('listitem').count()).toBe(2);
    await done.getByRole('link', { name: 'All that was done to the queue' }).click();
    await page.getByRole('list').getByText('SAP is back').first().waitFor();
  });

  test('says that there is more where more was done than it lists', async () => {
    const { app } = stage;
    const often = await createInvoices(app, 'Paused often');
    const path = { id: often };
    for (const _ of Array.from({ length: 51 })) {
      await app.admin.pauseQueue({ path, body: { reason: 'busy' } });
      await app.admin.resumeQueue({ path, body: {} });
    }
    const page = await stage.open(`/console/queues/${often}/charts`, { token });
    const done = page.getByRole('region', { name: 'What was done' });
    await done.getByText('These are the newest 100; there are more.').waitFor();
    expect(await done.getByRole('listitem').count()).toBe(100);
  });

  test.each([
    ['1 hour', '1h', 'minute'],
    ['7 days', '7d', 'hour'],
    ['30 days', '30d', '6 hours'],
    ['12 months', '12mo', 'day'],
  ])('is shown over %s, which stands in the address', async (label, range, span) => {
    const page = await stage.open(`/console/queues/${id}/charts`, { token });
    await page.getByLabel('Time', { exact: true }).selectOption(label);
    const flow = page.getByRole('region', { name: `Came in, done and failed, per ${span}` });
    await flow.getByText('12 items came in, 0 were done and 5 failed.').waitFor();
    expect(new URL(page.url()).searchParams.get('range')).toBe(range);
  });

  test('is shown as unknown where nothing was finished, not as no time at all', async () => {
    const quiet = await createInvoices(stage.app, 'Quiet');
    const page = await stage.open(`/console/queues/${quiet}/charts`, { token });
    await page
      .getByRole('region', { name: /^Handling time/ })
      .getByText('There is nothing to show for this time.')
      .waitFor();
    await page
      .getByRole('region', { name: /^Came in/ })
      .getByText('Nothing came in, and nothing was finished.')
      .waitFor();
    await expectAccessible(page);
  });

  test('is added up for all queues on the overview, and fits on a phone', async () => {
    const { app } = stage;
    await addItems(app, await createInvoices(app, 'Beside it'), [{ number: 'B-1' }]);
    const page = await stage.open('/console/', { token, viewport: { width: 390, height: 844 } });
    const together = page.getByRole('region', { name: 'Over time' });
    await together.getByText(/^13 items came in, 0 were done and 5 failed/).waitFor();
    await expectAccessible(page);
    const [wide, shown] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    );
    expect(wide).toBe(shown);
  });

  test('tells how long the oldest item has waited, and that none waits', async () => {
    const { app } = stage;
    const old = await createInvoices(app, 'Old');
    await addItems(app, old, [{ number: 'O-1' }]);
    await app.sql(`update work_items set created_on = now() - interval '26 hours' where queue_id = $1`, [
      old,
    ]);
    const page = await stage.open(`/console/queues/${old}/charts`, { token });
    const oldest = page.getByRole('region', { name: 'How long the oldest item has waited' });
    await oldest.getByText(/^The oldest had waited for 1 d 2 h at most, at /).waitFor();
    await oldest.getByRole('button', { name: 'As a table' }).click();
    await oldest.getByRole('cell', { name: '1 d 2 h' }).first().waitFor();
    await expectAccessible(page);
    await failItems(app, old, 1, 'The ERP was away');
    await page.reload();
    await oldest.getByText(/None waits now\.$|^None was seen to wait\.$/).waitFor();
  });

  test('tells how long most items took, as sentences, lines and a table', async () => {
    const { app } = stage;
    const timed = await createInvoices(app, 'Timed');
    await addItems(
      app,
      timed,
      Array.from({ length: 3 }, (_, index) => ({ number: `H-${index}` })),
    );
    const claimed = (await app.admin.claimWorkItems({ path: { id: timed }, body: { count: 3 } })).body.list;
    const results = claimed.map(({ id: item, version }) => ({
      id: Number(item),
      version: Number(version),
      status: 'COMPLETE' as const,
    }));
    const begun = `update work_items set started_on = now() - make_interval(hours => case when id = $1 then 960 else 240 end) where queue_id = $2`;
    await app.sql(begun, [results[0]?.id, timed]);
    await app.admin.finishWorkItems({ path: { id: timed }, body: { results } });
    const page = await stage.open(`/console/queues/${timed}/charts`, { token });
    const handling = page.getByRole('region', { name: /^Handling time, per 15 minutes/ });
    await handling
      .getByText(
        /it took 20 d 0 h on average\. Half of the items took up to (9|10) d \d+ h, 95 in 100 up to (3[89]|4[012]) d/,
      )
      .waitFor();
    await handling.getByText(/p50 and p95 are estimated from counts .* at most 5 % off/).waitFor();
    await expectAccessible(page);
    await handling.getByRole('button', { name: 'As a table' }).click();
    for (const name of ['Half took up to (p50)', '95 in 100 took up to (p95)', 'Mean'])
      await handling.getByRole('columnheader', { name }).waitFor();
    await handling.getByRole('row').filter({ hasText: '20 d 0 h' }).first().waitFor();
    await expectAccessible(page);
  });
});
