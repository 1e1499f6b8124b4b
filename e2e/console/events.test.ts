import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { addItems, createInvoices, hostile } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

describe.skipIf(browserFile === undefined)('The events in a browser', () => {
  const stage = setStage(() => ({ sealSeconds: 1 }));
  let token = '';
  let id = 0;
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
    const { app } = stage;
    id = await createInvoices(app, 'Told');
    await addItems(
      app,
      id,
      Array.from({ length: 5 }, (_, index) => ({ number: `T-${index}` })),
    );
    await app.admin.pauseQueue({ path: { id }, body: { reason: 'The ERP is down' } });
    await app.admin.resumeQueue({ path: { id }, body: { reason: 'It is back' } });
  });

  const lines = (page: Page) => page.getByRole('group', { name: 'Events, the newest first' });
  const line = (page: Page, text: RegExp) => lines(page).getByRole('listitem').filter({ hasText: text });

  /** Holds requests until they are let go by what it returns. */
  const hold = async (page: Page, which: (url: URL) => boolean) => {
    let letGo = () => {};
    const gone = new Promise<void>((resolve) => (letGo = resolve));
    await page.route(which, (route) => gone.then(() => route.continue()));
    return letGo;
  };

  test('tells what happened, the newest first, many of a kind in one line', async () => {
    const page = await stage.open('/console/events?q=queue:Told', { token });
    await line(page, /admin resumed Told.*It is back/).waitFor();
    const texts = await lines(page).getByRole('listitem').allTextContents();
    expect(texts.map((text) => text.replace(/^.*?admin/, 'admin').trim())).toEqual([
      expect.stringContaining('admin resumed Told'),
      expect.stringContaining('admin paused Told'),
      expect.stringContaining('admin put in 5 items · Told'),
      expect.stringContaining('admin created Told'),
    ]);
    await page.getByText('This is the beginning.').waitFor();
    await lines(page)
      .getByRole('heading', { name: /^Today, / })
      .waitFor();
    await expectAccessible(page);
    await line(page, /5 items/)
      .getByRole('button', { name: 'What it was in full' })
      .click();
    await line(page, /5 items/)
      .getByRole('link', { name: /^\d+$/ })
      .first()
      .click();
    await page.waitForURL(/\/workitems\/\d+$/);
  });

  test('is walked, opened and filtered by keys', async () => {
    const page = await stage.open('/console/queues', { token });
    await page.getByRole('heading', { level: 1, name: 'Queues' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('e');
    await page.getByRole('heading', { level: 1, name: 'Events' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('operation:pauseQueue queue:Told');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Remove queue:Told' }).waitFor();
    await line(page, /The ERP is down/).waitFor();
    expect(await lines(page).getByRole('listitem').count()).toBe(1);
    await page.getByRole('button', { name: 'Remove operation:pauseQueue' }).click();
    await line(page, /created/).waitFor();
    await line(page, /resumed/)
      .getByRole('button')
      .focus();
    await page.keyboard.press('j');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    await line(page, /paused/)
      .getByText('The event as it is on record')
      .click();
    await line(page, /paused/)
      .getByText('"reason"')
      .waitFor();
    await expectAccessible(page);
  });

  test('shows what a change was before and after', async () => {
    const { app } = stage;
    for (const description of ['First', 'Second'])
      await app.admin.updateQueue({
        path: { id },
        body: { ...(await app.admin.getQueue({ path: { id } })).body, description } as never,
      });
    const page = await stage.open('/console/events?q=queue:Told operation:updateQueue', { token });
    await line(page, /changed Told/)
      .first()
      .getByRole('button', { name: 'What it was in full' })
      .click();
    const row = page.getByRole('row', { name: /^description/ });
    await row.getByText('First').waitFor();
    await row.getByText('Second').waitFor();
    await expectAccessible(page);
  });

  test('takes what was before from the thing itself, and not from another of its kind', async () => {
    const { admin } = stage.app;
    const permissions = ['useQueues'];
    const first = (await admin.createRole({ body: { name: 'Reads', permissions } })).body;
    const second = (await admin.createRole({ body: { name: 'Writes', permissions } })).body;
    for (const [{ id: roleId }, name] of [
      [first, 'Reads more'],
      [second, 'Writes more'],
      [first, 'Reads most'],
    ] as const) {
      const path = { id: Number(roleId) };
      const { version } = (await admin.getRole({ path })).body;
      await admin.updateRole({ path, body: { version, name } });
    }
    const page = await stage.open('/console/events?q=operation:updateRole', { token });
    await line(page, /Reads most/)
      .getByRole('button', { name: 'What it was in full' })
      .click();
    await line(page, /Reads most/)
      .getByRole('row', { name: 'name Reads more Reads most' })
      .waitFor();
    await line(page, /Writes more/)
      .getByRole('button', { name: 'What it was in full' })
      .click();
    await line(page, /Writes more/)
      .getByRole('row', { name: 'name Writes Writes more' })
      .waitFor();
  });

  test('lets new events come in at the top, and has them wait while the page stands still', async () => {
    const { app } = stage;
    const queueId = await createInvoices(app, 'Followed');
    const page = await stage.open('/console/events?q=queue:Followed', { token });
    await page.getByText('New events come in at the top.').waitFor();
    await app.admin.pauseQueue({ path: { id: queueId }, body: { reason: 'First' } });
    await line(page, /paused.*First/).waitFor();
    await page.locator('h1').click();
    await page.keyboard.press('l');
    await page.getByText('Paused: new events wait until you press l.').waitFor();
    await app.admin.resumeQueue({ path: { id: queueId }, body: { reason: 'Second' } });
    await app.admin.pauseQueue({ path: { id: queueId }, body: { reason: 'Third' } });
    expect(await line(page, /Third/).count()).toBe(0);
    await page.keyboard.press('l');
    await line(page, /Third/).waitFor();
    const texts = await lines(page).getByRole('listitem').allTextContents();
    expect(texts.findIndex((text) => text.includes('Third'))).toBe(0);
    expect(texts.findIndex((text) => text.includes('Second'))).toBe(1);
  });

  test('keeps what is read in its place: new events wait behind a button once one has scrolled down', async () => {
    const { app } = stage;
    const queueId = await createInvoices(app, 'Long');
    for (const index of Array.from({ length: 40 }).keys())
      await app.admin[index % 2 === 0 ? 'pauseQueue' : 'resumeQueue']({
        path: { id: queueId },
        body: { reason: `Time ${index}` },
      });
    const page = await stage.open('/console/events?q=queue:Long', { token });
    await line(page, /Time 0$/).waitFor();
    await line(page, /Time 0$/).scrollIntoViewIfNeeded();
    await page.getByText('New events wait, as you have scrolled down.').waitFor();
    await app.admin.pauseQueue({ path: { id: queueId }, body: { reason: 'Fresh' } });
    const show = page.getByRole('button', { name: '1 event more: show' });
    await show.waitFor();
    expect(await line(page, /Fresh/).count()).toBe(0);
    await page.keyboard.press('n');
    await line(page, /Fresh/).waitFor();
  });

  test('reads on to older events, and says when there are none', async () => {
    const { app } = stage;
    const queueId = await createInvoices(app, 'Many events');
    await app.sql(
      `insert into events (tenant_id, queue_id, item_id, operation, actor_id, reason, at)
       select tenant_id, id, n, 'expireItems', 0, 'Number ' || n, now() from queues, generate_series(1, 250) n where id = $1`,
      [queueId],
    );
    const page = await stage.open(`/console/events?q=queue:${queueId} kind:MILLRACE`, { token });
    await line(page, /Number 250/).waitFor();
    expect(await lines(page).getByRole('listitem').count()).toBe(100);
    await page.getByRole('button', { name: 'Read older ones' }).click();
    await line(page, /Number 60$/).waitFor();
    await page.getByRole('button', { name: 'Read older ones' }).click();
    await page.getByText('This is the beginning.').waitFor();
    expect(await lines(page).getByRole('listitem').count()).toBe(250);
  });

  test('shows above the list how many there were when, and takes a stretch of that as the time, by keys and by mouse', async () => {
    const { app } = stage;
    const queueId = await createInvoices(app, 'Dense');
    // Two hours that are over, by lower transactions: one event in each minute, and in the last half hour two.
    await app.sql(
      `insert into events (tenant_id, queue_id, item_id, operation, actor_id, reason, at, tx)
       select tenant_id, id, n, 'expireItems', 0, 'Number ' || n, timestamptz '2026-01-01T08:00:00Z' + n * interval '1 minute',
         (100 + n)::text::xid8
       from queues, generate_series(0, 119) n cross join generate_series(1, case when n < 90 then 1 else 2 end) where id = $1
       order by n`,
      [queueId],
    );
    const range = 'at>="2026-01-01T08:00:00Z" at<"2026-01-01T10:00:00Z"';
    const page = await stage.open(`/console/events?q=${encodeURIComponent(`queue:Dense ${range}`)}`, {
      token,
    });
    const strip = page.getByRole('region', { name: 'Events per minute' });
    await strip.getByText(/^150 events since Jan 1, 2026, .*Most at .*: 2\.$/).waitFor();
    await expectAccessible(page);
    const cursor = strip.getByRole('slider');
    await cursor.focus();
    await page.keyboard.press('Home');
    expect(await cursor.getAttribute('aria-valuetext')).toMatch(/^Jan 1, 2026, .*: Events 1\.$/);
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('Shift+ArrowRight');
    expect(await cursor.getAttribute('aria-valuetext')).toMatch(/ to .*: Events 3\.$/);
    await expectAccessible(page);
    await page.keyboard.press('Enter');
    await page
      .getByRole('region', { name: 'Events per 5 seconds' })
      .getByText(/^3 events since/)
      .waitFor();
    expect(new URL(page.url()).searchParams.get('q')).toBe(
      'queue:Dense at>="2026-01-01T08:00:00.000Z" at<"2026-01-01T08:03:00.000Z"',
    );
    await line(page, /Number 2$/).waitFor();
    expect(await lines(page).getByRole('listitem').count()).toBe(3);
    await page.goBack();
    await strip.getByText(/^150 events/).waitFor();
    const box = await cursor.boundingBox();
    if (!box) throw new Error('the strip is on screen');
    const middle = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width - 1, middle);
    await page.mouse.down();
    await page.mouse.move(box.x + (3 * box.width) / 4, middle, { steps: 4 });
    await page.mouse.up();
    const drawn = await cursor.getAttribute('aria-valuetext');
    const amount = Number(/Events (\d+)\.$/.exec(drawn ?? '')?.[1]);
    expect(amount).toBeGreaterThan(40);
    // The drawn stretch stays while the pointer goes to the button.
    await strip.getByRole('button', { name: 'Show this time only' }).click();
    await page.getByText(`${amount} events since`).waitFor();
    await page.getByRole('button', { name: 'As a table' }).click();
    await page.getByRole('columnheader', { name: 'Events' }).waitFor();
    await expectAccessible(page);
  });

  test('says what it does not understand, and what does not match', async () => {
    const page = await stage.open('/console/events?q=timeout', { token });
    await page.getByRole('alert').getByText('Events are narrowed down by fields').waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    await lines(page).getByRole('listitem').first().waitFor();
    await page.getByLabel('Time').selectOption('Last hour');
    await page.getByLabel('By', { exact: true }).selectOption('Runners');
    expect(new URL(page.url()).searchParams.get('q')).toBe('at>now-1h kind:RUNNER');
    await page.getByRole('heading', { name: 'No event matches.' }).waitFor();
    await page.getByRole('button', { name: /^Without kind:RUNNER: \d+$/ }).waitFor();
    await page.getByRole('button', { name: 'Without at>now-1h', exact: true }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Clear' }).last().click();
    await lines(page).getByRole('listitem').first().waitFor();
  });

  test('shows stored texts as texts', async () => {
    const { app } = stage;
    const queueId = await createInvoices(app, `${hostile[0]} queue`);
    for (const reason of hostile) {
      await app.admin.pauseQueue({ path: { id: queueId }, body: { reason } });
      await app.admin.resumeQueue({ path: { id: queueId }, body: { reason } });
    }
    const page = await stage.open(`/console/events?q=queue:${queueId}`, { token });
    await line(page, /HYPERLINK/)
      .first()
      .waitFor();
    for (const one of await lines(page).getByRole('button', { name: 'What it was in full' }).all())
      await one.click();
    await page.getByText('U+202E').first().waitFor();
    expect(await page.evaluate('window.canary')).toBeUndefined();
    await expectAccessible(page);
  });

  test('cuts texts that are very long, and shows all of them on request', async () => {
    const { app } = stage;
    const queueId = await createInvoices(app, 'Wordy');
    const text = `begin ${'word '.repeat(5000)}end`;
    await app.sql(
      `insert into events (tenant_id, queue_id, item_id, operation, actor_id, changes, at)
       select tenant_id, id, 0, 'updateQueue', 0, json_build_object('description', $2::text), now() from queues where id = $1`,
      [queueId, text],
    );
    const page = await stage.open('/console/events?q=queue:Wordy operation:updateQueue', { token });
    const told = line(page, /changed Wordy/);
    await told.getByRole('button', { name: 'What it was in full' }).click();
    const row = told.getByRole('row', { name: /^description/ });
    await row.getByText(/begin word/).waitFor();
    expect((await row.textContent())?.length).toBeLessThan(11_000);
    await told.getByText('The event as it is on record').click();
    await told
      .getByRole('button', { name: /^Show all 25,\d+ characters$/ })
      .nth(1)
      .waitFor();
    await expectAccessible(page);
    await row.getByRole('button', { name: 'Show all 25,009 characters' }).click();
    await row.getByText(/word end/).waitFor();
  });

  test('leads by a link to one event, and says when there is none', async () => {
    const page = await stage.open('/console/events?q=queue:Told operation:pauseQueue', { token });
    await line(page, /The ERP is down/)
      .getByRole('button')
      .click();
    await page.getByRole('button', { name: 'Copy link to this event' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const link = await page.evaluate('navigator.clipboard.readText()');
    await page.goto(String(link));
    await page.getByText('The ERP is down').first().waitFor();
    await page.getByText('The event as it is on record').waitFor();
    await expectAccessible(page);
    await page.goto(`${stage.app.url}/console/events?event=1-999999`);
    await page.getByText('This event is not there, or you may not see it.').waitFor();
  });

  test('exports what matches as a file that no spreadsheet runs', async () => {
    const page = await stage.open('/console/events?q=queue:Told', { token });
    await page.getByRole('button', { name: 'Export …' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await expectAccessible(page);
    const saving = page.waitForEvent('download');
    await dialog.getByRole('button', { name: 'Export', exact: true }).click();
    const file = readFileSync(await (await saving).path(), 'utf8');
    expect(file.split('\r\n').slice(0, 1)[0]).toContain('on,operation,actorId,actorName');
    expect(file).toContain('pauseQueue');
    await dialog.getByText(/^Saved \d+ events\.$/).waitFor();
    let files = 0;
    page.on('download', () => (files += 1));
    await dialog.getByLabel('Format').selectOption('NDJSON');
    const again = page.waitForEvent('download');
    const letExport = await hold(page, ({ searchParams }) => searchParams.get('limit') === '1000');
    await dialog.getByRole('button', { name: 'Export', exact: true }).dblclick();
    letExport();
    const exact = readFileSync(await (await again).path(), 'utf8')
      .trim()
      .split('\n');
    expect(JSON.parse(exact.at(-1) ?? '')).toMatchObject({ operation: 'createQueue', queueName: 'Told' });
    await expect.poll(async () => (await stage.app.admin.getAuditHead()).body.head).toBeDefined();
    await dialog.getByRole('button', { name: 'Stop' }).waitFor({ state: 'detached' });
    const audit = page.waitForEvent('download');
    const letAudit = await hold(page, ({ pathname }) => pathname.endsWith('/audit/export'));
    await dialog.getByRole('button', { name: 'Save the audit trail' }).dblclick();
    letAudit();
    expect((await audit).suggestedFilename()).toMatch(/\.ndjson$/);
    await dialog.getByText('It is on its way.').waitFor({ state: 'detached' });
    expect(files).toBe(2);
  });

  test('shows on the page of a queue what people did in it, and the rest on request', async () => {
    const page = await stage.open(`/console/queues/${id}`, { token });
    await page
      .getByRole('navigation', { name: 'Parts of the queue' })
      .getByRole('link', { name: 'Activity' })
      .click();
    await page.getByRole('button', { name: 'Remove kind:USER' }).waitFor();
    await line(page, /The ERP is down/).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Remove kind:USER' }).click();
    await expect.poll(() => new URL(page.url()).search).toBe('');
    await line(page, /put in 5 items/).waitFor();
  });

  test('shows to who belongs to one queue what happened there, and no names of users to look up', async () => {
    const { app } = stage;
    const { id: userId, token: own } = await app.user('reader of events', ['AAE_Basic']);
    await app.admin.addOrUpdateQueueMember({ path: { id, userId }, body: { role: 'MEMBER' } });
    const page = await stage.open('/console/events', { token: own });
    await line(page, /The ERP is down/).waitFor();
    await page.getByRole('button', { name: 'Export …' }).click();
    expect(await page.getByRole('button', { name: 'Save the audit trail' }).count()).toBe(0);
  });

  test('fits on a phone', async () => {
    const viewport = { width: 390, height: 844 };
    const page = await stage.open('/console/events?q=queue:Told', { token, viewport });
    await line(page, /The ERP is down/).waitFor();
    await line(page, /The ERP is down/)
      .getByRole('button')
      .click();
    await expectAccessible(page);
    const width = await page.evaluate('document.querySelector("main").scrollWidth');
    expect(width).toBeLessThanOrEqual(390);
  });
});
