import path from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { addItems, createInvoices, hostile, hostileNames } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

const pictures = process.env['MILLRACE_PICTURES'];
const phone = { viewport: { width: 390, height: 844 } };

describe.skipIf(browserFile === undefined)('Service levels in a browser', () => {
  const stage = setStage();
  let token: string;
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
  });
  const open = (address: string, how = {}) => stage.open(address, { token, ...how });

  /** Both themes, checked by axe, and as pictures where they are wanted. */
  async function look(page: Page, name: string): Promise<void> {
    await expectAccessible(page);
    if (!pictures) return;
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: path.join(pictures, `${name}-${colorScheme}.png`), fullPage: true });
    }
  }

  async function fits(page: Page): Promise<void> {
    const [wide, shown] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    );
    expect(wide).toBe(shown);
  }

  /** A queue whose items take ten minutes each, two of which are worked on, with an hour's promise. */
  async function createSlow(name: string, items: number): Promise<number> {
    const { app } = stage;
    const id = await createInvoices(app, name);
    await addItems(
      app,
      id,
      Array.from({ length: items }, (_, index) => ({ number: `R-${index}` })),
    );
    await app.sql(
      `insert into queue_history (queue_id, seconds, at, arrived, new, in_progress, complete, failed, deferred, finished_complete,
         finished_failed, handling_ms) values ($1, 3600, date_trunc('hour', now() - interval '3 hours'), 0, 0, 0, 0, 0, 0, 36, 4, 24000000)`,
      [id],
    );
    await app.admin.claimWorkItems({ path: { id }, body: { count: 2 } });
    return id;
  }

  test('a calendar is written by its days, changed and deleted', async () => {
    const page = await open('/console/calendars', phone);
    await page.getByText('There is no calendar yet.').waitFor();
    await fits(page);
    await page.getByRole('button', { name: 'New calendar' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Office');
    await page.getByLabel('Time zone').fill('Europe/Berlin');
    await page.getByLabel('Friday').fill('8 to 12');
    await page.getByLabel('Holidays, a line each').fill('2026-12-25 Christmas Day');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('alert').getByText('“8 to 12” is not two times').waitFor();
    // Unreadable hours make no command.
    expect(await page.getByText('As command, as curl').count()).toBe(0);
    await look(page, 'calendar-form-390');
    await page.getByLabel('Friday').fill('8:00-12:00, 13:00-15:00');
    await page.getByText('As command, as curl').click();
    await page
      .getByText(/^millrace calendar create --body '\{"name":"Office","timeZone":"Europe\/Berlin"/)
      .waitFor();
    await look(page, 'calendar-command-390');
    await page.getByRole('button', { name: 'Save' }).click();
    const office = page.getByRole('region', { name: 'Office' });
    await office.getByText('08:00-12:00, 13:00-15:00').waitFor();
    await office.getByText('Europe/Berlin, 1 holiday').waitFor();
    await look(page, 'calendars-390');
    await page.getByRole('button', { name: 'Change Office' }).click();
    await page.getByLabel('Name', { exact: true }).fill(hostile[0] ?? '');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: hostile[0] ?? '' }).waitFor();
    await page.getByRole('button', { name: `Change ${hostile[0]}` }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('It is gone for good.').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByLabel('Time zone').waitFor();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('There is no calendar yet.').waitFor();
    expect(await page.evaluate('window.canary')).toBeUndefined();
  });

  test('a calendar that somebody else writes, changes and deletes is followed, also by who sees few events', async () => {
    const { app } = stage;
    const { token: hers } = await app.user('reader of calendars', ['AAE_Basic']);
    const page = await open('/console/calendars', { token: hers });
    await page.getByRole('button', { name: 'Live. Pause (l)' }).waitFor();
    const hours = [{ day: 'MONDAY' as const, from: '08:00', to: '16:00' }];
    const { body } = await app.admin.createCalendar({ body: { name: 'Shop', timeZone: 'UTC', hours } });
    const shop = page.getByRole('region', { name: 'Shop' });
    await shop.getByText('08:00-16:00').waitFor();
    const it = { path: { id: body.id } };
    const change = { version: body.version, name: 'Shop', timeZone: 'Asia/Tokyo' };
    await app.admin.updateCalendar({ ...it, body: change });
    await shop.getByText('Asia/Tokyo').waitFor();
    await app.admin.deleteCalendar(it);
    await page.getByText('There is no calendar yet.').waitFor();
  });

  test('the names of calendars and of their holidays are text, whatever they hold', async () => {
    const { admin } = stage.app;
    const hours = [{ day: 'MONDAY' as const, from: '08:00', to: '16:00' }];
    const made = await Promise.all(
      hostileNames.map((name, index) =>
        admin.createCalendar({
          body: { name, timeZone: 'UTC', hours, holidays: [{ date: `2026-12-0${index + 1}`, name }] },
        }),
      ),
    );
    expect(made.map(({ status }) => status)).toEqual(made.map(() => 200));
    const [image = ''] = hostileNames;
    const page = await open('/console/calendars');
    for (const name of hostileNames) await page.getByRole('heading', { name, exact: true }).waitFor();
    await page.getByRole('button', { name: `Change ${image}` }).click();
    await expect.poll(() => page.getByLabel('Holidays, a line each').inputValue()).toContain(image);
    await expectAccessible(page);
    expect(await page.evaluate('window.canary')).toBeUndefined();
    for (const { body } of made) await admin.deleteCalendar({ path: { id: Number(body.id) } });
  });

  test('names that would do something are text where a calendar is written and where a queue is promised something', async () => {
    const { admin } = stage.app;
    const page = await open('/console/calendars');
    const dialog = page.getByRole('dialog');
    for (const [index, name] of hostileNames.entries()) {
      await page.getByRole('button', { name: 'New calendar' }).click();
      await dialog.getByLabel('Name', { exact: true }).fill(name);
      await dialog.getByLabel('Time zone').fill('UTC');
      await dialog.getByLabel('Holidays, a line each').fill(`2026-12-0${index + 1} ${name}`);
      await dialog.getByRole('button', { name: 'Save' }).click();
      await dialog.waitFor({ state: 'detached' });
      await page.getByRole('heading', { name, exact: true }).waitFor();
    }
    await expectAccessible(page);
    const { list } = (await admin.listCalendars({ body: { sort: [{ field: 'id' }] } })).body;
    expect(list.map(({ name, holidays }) => [name, holidays[0]?.name])).toEqual(
      hostileNames.map((name) => [name, name]),
    );
    const id = await createInvoices(stage.app, hostileNames[0] ?? '');
    const other = await open(`/console/queues/${id}/level`);
    const form = other.getByRole('form', { name: 'Promise' });
    await form.getByLabel('What is promised').selectOption('wait');
    for (const label of hostileNames) await form.getByLabel('Calendar').selectOption({ label });
    await expectAccessible(other);
    await form.getByRole('button', { name: 'Save' }).click();
    await other.getByText('Saved.').waitFor();
    expect((await admin.getQueueLevel({ path: { id } })).body.calendarId).toBe(list.at(-1)?.id);
    for (const one of [page, other]) expect(await one.evaluate('window.canary')).toBeUndefined();
    // It would be told of the end of its queue.
    await other.close();
    await admin.deleteQueue({ path: { id } });
    for (const one of list)
      expect((await admin.deleteCalendar({ path: { id: Number(one.id) } })).status).toBe(204);
  });

  test('a queue is promised something, and says whether that will hold and what would hold it', async () => {
    const { admin } = stage.app;
    const hours = [{ day: 'MONDAY' as const, from: '00:00', to: '24:00' }];
    await admin.createCalendar({ body: { name: 'Mondays', timeZone: 'Europe/Berlin', hours } });
    const id = await createSlow('Slow', 40);
    const page = await open(`/console/queues/${id}`);
    await page.getByText(/The last of 40 open items is done at about/).waitFor();
    await page.getByRole('link', { name: 'Service level' }).first().click();
    await page.getByRole('heading', { level: 2, name: 'Service level' }).waitFor();
    const form = page.getByRole('form', { name: 'Promise' });
    await form.getByLabel('What is promised').selectOption('due');
    await form.getByLabel('Calendar').selectOption({ label: 'Mondays' });
    await form.getByLabel('What is promised').selectOption('wait');
    await form.getByLabel('Longest wait, in minutes').fill('60');
    await form.getByLabel('Calendar').selectOption({ label: 'Every hour, by the clock of UTC' });
    await form.getByLabel('What an hour of people costs').fill('42');
    await form.getByText('As command, as curl').click();
    await form
      .getByText(new RegExp(`^millrace queue promise ${id} --body '\\{.*"longestWaitMinutes":60`))
      .waitFor();
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    const forecast = page.getByRole('region', { name: 'Forecast' });
    await forecast.getByText('At risk').waitFor();
    await forecast
      .getByText(/^.*more devices now|\d+ more devices? from .*, or \d+ items wait longer than 1 hour/)
      .waitFor();
    await forecast.getByText('What it rests on').click();
    await forecast.getByText('10 min 0 s, mean of 40 items in a day').waitFor();
    await look(page, 'level');
    await form.getByLabel('What an hour of people costs').scrollIntoViewIfNeeded();
    await look(page, 'promise');
    expect((await admin.getQueueLevel({ path: { id } })).body).toMatchObject({
      longestWaitMinutes: 60,
      hourlyCost: 42,
      currency: 'EUR',
    });
    await page.getByRole('link', { name: 'Items' }).click();
    await page.getByRole('img', { name: /^Done at/ }).waitFor();
    await look(page, 'queue');
  });

  test('the overview has what is at risk first, and what all queues saved', async () => {
    const { admin } = stage.app;
    const id = await createSlow('Urgent', 40);
    const version = (await admin.getQueue({ path: { id } })).body.version ?? 0;
    await admin.updateQueue({ path: { id }, body: { version, manualProcessingTime: 30 } });
    const body = { longestWaitMinutes: 60, hourlyCost: 42, currency: 'EUR' };
    await admin.setQueueLevel({ path: { id }, body });
    const calm = await createInvoices(stage.app, 'Calm');
    await admin.setQueueLevel({ path: { id: calm }, body: { dueTime: '17:00' } });
    await expect
      .poll(async () => (await admin.listQueueSavings({})).body.sums.money[0]?.saved)
      .toBeGreaterThan(0);
    await expect
      .poll(
        async () => (await admin.listQueueLevels({})).body.list.find(({ queueId }) => queueId === id)?.state,
      )
      .toBe('AT_RISK');
    const page = await open('/console/', phone);
    const levels = page.getByRole('region', { name: 'Service levels' });
    const need = page
      .getByRole('region', { name: 'Needs a person' })
      .getByRole('listitem')
      .filter({ hasText: 'Urgent' });
    await need.getByText(/^Urgent: the service level is at risk\. .*more devices?/).waitFor();
    await levels.getByText(/service levels? (is|are) kept/).waitFor();
    await levels.getByText('Saved in thirty days: 18 hours, EUR 756.00.').waitFor();
    await fits(page);
    await look(page, 'overview-levels-390');
    await need.getByRole('link', { name: 'Open service level' }).click();
    const savings = page.getByRole('region', { name: 'Saved in thirty days' });
    await savings.getByText('18 hours were saved, EUR 756.00.').waitFor();
    await fits(page);
    await look(page, 'level-390');
  });

  test('who may not change a queue sees its promise and cannot change it', async () => {
    const id = await createSlow('Seen', 3);
    const clerk = await stage.app.user('level-clerk');
    await stage.app.admin.addQueueParticipant({ path: { id }, body: { userId: clerk.id } });
    const page = await stage.open(`/console/queues/${id}/level`, { token: clerk.token });
    await page.getByText('Owners of the queue and queue admins may promise something.').waitFor();
    expect(await page.getByLabel('What is promised').isDisabled()).toBe(true);
    await expectAccessible(page);
  });
});
