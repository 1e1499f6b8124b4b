import { beforeAll, describe, expect, test } from 'vitest';
import { addItems, createInvoices, failItems, hostile } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { press, toRow } from './keys.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

describe.skipIf(browserFile === undefined)('In a browser, a queue', () => {
  const stage = setStage();
  let token = '';
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
  });

  test('is paused by p with a reason and a time, says so until it goes on, and is resumed', async () => {
    const { admin } = stage.app;
    const id = await createInvoices(stage.app, 'Stood still');
    const page = await stage.open(`/console/queues/${id}`, { token });
    await page.getByRole('button', { name: 'Pause', exact: true }).waitFor();
    await page.keyboard.press('p');
    await page.getByLabel('Reason, for the others').fill('The ERP is away');
    await page.getByLabel(/^Until/).fill('2099-03-03T06:00');
    await expectAccessible(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await page.getByText(/^Paused by admin: The ERP is away · goes on in \d+ d/).waitFor();
    await expectAccessible(page);
    const { body: paused } = await admin.getQueue({ path: { id } });
    expect(paused.pause).toMatchObject({ reason: 'The ERP is away' });
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Pause', exact: true }).waitFor();
    expect((await admin.getQueue({ path: { id } })).body.status).toBe('ACTIVE');
  });

  test('says why its items do not start, with what that rests on and the way to what can be done', async () => {
    const { admin } = stage.app;
    const id = await createInvoices(stage.app, 'Why');
    await addItems(stage.app, id, [{ number: 'Y-1' }, { number: 'Y-2' }]);
    await admin.updateWorkItemStatus({
      path: { id },
      body: { action: 'DEFER', filter: { operator: 'gt', field: 'id', value: '0' } },
    });
    const page = await stage.open(`/console/queues/${id}`, { token });
    await page.getByRole('button', { name: 'Pause', exact: true }).waitFor();
    await page.keyboard.press('w');
    await page.getByRole('link', { name: 'Show these items' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Show these items' }).click();
    await page.getByText('2 items').first().waitFor();
    expect(new URL(page.url()).search).toBe('?q=status:DEFERRED');
  });

  test('says at its head how fast it goes, each figure a link to what it counts, and takes a spreadsheet', async () => {
    const id = await createInvoices(stage.app, 'Paced');
    await addItems(stage.app, id, [{ number: 'P-1' }, { number: 'P-2' }, { number: 'P-3' }]);
    await failItems(stage.app, id, 2, 'The ERP was away');
    const page = await stage.open(`/console/queues/${id}`, { token });
    const head = page.getByRole('main').locator('header').first();
    await head.getByRole('link', { name: '2 failed', exact: true }).click();
    await page.getByText('2 of 3 items').waitFor();
    await head.getByRole('link', { name: /^Oldest waiting: / }).click();
    await page.getByText('1 of 3 items').waitFor();
    expect(new URL(page.url()).search).toBe('?q=status:NEW&sort=createdOn');
    await expectAccessible(page);
    await head.getByRole('button', { name: 'Upload' }).click();
    await expect.poll(() => new URL(page.url()).pathname).toBe(`/console/queues/${id}/upload`);
  });

  test('that is empty says how to put work in, and how to connect a bot, with the commands for it', async () => {
    const id = await createInvoices(stage.app, "Joe's invoices");
    const page = await stage.open(`/console/queues/${id}`, { token });
    await page.getByRole('heading', { name: 'Nothing was put into this queue yet.' }).waitFor();
    const commands = await page.getByRole('region', { name: 'Connect a bot' }).textContent();
    expect(commands?.split('\n')).toEqual([
      "millrace user create --username bot-1 --roles 'AAE_Bot Runner'",
      'millrace api-key create --name bot-1 --user-id bot-1',
      `millrace queue add-consumer 'Joe'\\''s invoices' --role-id 'AAE_Bot Runner'`,
    ]);
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Consumers of this queue' }).click();
    await page.getByRole('heading', { name: 'Who works on its items' }).waitFor();
  });

  test('is found in the list by its model', async () => {
    await createInvoices(stage.app, 'Of one model');
    const { body } = await stage.app.admin.getQueue({
      path: { id: await createInvoices(stage.app, 'Of another') },
    });
    const page = await stage.open(`/console/queues`, { token });
    await page.getByRole('row', { name: /^Of one model/ }).waitFor();
    await page.getByLabel('Which model').selectOption('Model of Of another');
    await page.getByRole('row', { name: /^Of one model/ }).waitFor({ state: 'detached' });
    await page.getByRole('row', { name: /^Of another/ }).waitFor();
    expect(new URL(page.url()).search).toBe(`?model=${String(body.workItemModelId)}`);
    await expectAccessible(page);
  });

  test('shows what cannot be seen in the reason of its pause as marks, in why it stands still and in the list', async () => {
    const id = await createInvoices(stage.app, 'Marked');
    await stage.app.admin.pauseQueue({ path: { id }, body: { reason: `P ${hostile[4]}` } });
    const page = await stage.open(`/console/queues/${id}/why`, { token });
    await page
      .getByRole('listitem')
      .filter({ hasText: /P leftU\+202E/ })
      .first()
      .waitFor();
    await page.goto(`${stage.app.url}/console/queues`);
    await page.getByText(/P leftU\+202E/).waitFor();
  });

  test('says until when it is paused in the time zone of the reader, and shows a reason that looks like a time as it is', async () => {
    const id = await createInvoices(stage.app, 'Paused elsewhere');
    const pause = { reason: 'Batch 2026-99-99T99:99:99Z', until: '2099-03-03T06:00:00Z' };
    await stage.app.admin.pauseQueue({ path: { id }, body: pause });
    const page = await stage.open(`/console/queues/${id}/why`, { token, timezoneId: 'Asia/Tokyo' });
    await page
      .getByText(/: Batch 2026-99-99T99:99:99Z\. It goes on by itself at Mar 3, 2099, 3:00.PM\.$/)
      .first()
      .waitFor();
    await expectAccessible(page);
  });

  test('is paused by somebody else, and the page of the reader says so', async () => {
    const id = await createInvoices(stage.app, 'From afar');
    const page = await stage.open(`/console/queues/${id}`, { token });
    await page.getByRole('button', { name: 'Live. Pause (l)' }).waitFor();
    await stage.app.admin.pauseQueue({ path: { id }, body: { reason: 'Month end' } });
    await page.getByText('Paused by admin: Month end · until somebody resumes it').waitFor();
  });

  test('that is empty says how to put something in, in commands that a shell runs as they stand, whatever its name', async () => {
    const id = await createInvoices(stage.app, "It's $(reboot) `x`");
    const page = await stage.open(`/console/queues/${id}`, { token });
    const name = String.raw`'It'\''s $(reboot) ${'`x`'}'`;
    await page.getByText(`millrace item create ${name} --data '{…}'`).waitFor();
    await page.getByText(`millrace upload ${name} items.csv`).waitFor();
    await expectAccessible(page);
  });

  test('is listed with its model and its owners, and found when it is archived or of one’s own', async () => {
    const { app } = stage;
    const olga = await app.user('olga');
    const [kept, lent, old] = [
      await createInvoices(app, 'Kept'),
      await createInvoices(app, 'Lent'),
      await createInvoices(app, 'Put aside'),
    ];
    for (const [id, role] of [
      [kept, 'OWNER'],
      [lent, 'MEMBER'],
    ] as const)
      await app.admin.addOrUpdateQueueMember({ path: { id, userId: olga.id }, body: { role } });
    await app.admin.archiveQueue({ path: { id: old } });
    const page = await stage.open('/console/queues', { token });
    const row = page.getByRole('row', { name: /^Kept/ });
    await row.getByRole('link', { name: 'Model of Kept' }).waitFor();
    await row.getByText('admin, olga', { exact: true }).waitFor();
    expect(await row.getByRole('time').getAttribute('title')).toMatch(/\d{4}, \d+:\d\d:\d\d/);
    expect(await page.getByRole('link', { name: 'Put aside' }).count()).toBe(0);
    await expectAccessible(page);
    await page.getByLabel('Which queues').selectOption('Archived');
    await page
      .getByRole('row', { name: /^Put aside/ })
      .getByText('Archived')
      .waitFor();
    await expectAccessible(page);
    const hers = await stage.open('/console/queues', { token: olga.token });
    await hers.getByRole('link', { name: 'Lent', exact: true }).waitFor();
    await hers.getByLabel('Which queues').selectOption('Mine');
    await hers.getByRole('link', { name: 'Lent', exact: true }).waitFor({ state: 'detached' });
    await hers.getByRole('link', { name: 'Kept', exact: true }).waitFor();
    await expectAccessible(hers);
  });

  test('is paused, resumed, archived and restored from its row, by a key and by a menu', async () => {
    const { admin } = stage.app;
    const id = await createInvoices(stage.app, 'From its row');
    await createInvoices(stage.app, 'From the row behind');
    const page = await stage.open('/console/queues', { token });
    const row = page.getByRole('row', { name: /^From its row/ });
    const menu = row.getByRole('button', { name: 'Actions on From its row' });
    const choice = (name: string) => page.getByRole('menuitem', { name });
    await toRow(page, /^From its row/);
    await press(page, '.');
    await choice('Pause …').waitFor();
    await expectAccessible(page);
    await press(page, 'Enter');
    await page.getByLabel('Reason, for the others').fill('The ERP is away');
    await press(page, 'Enter');
    await row.getByText('Paused by admin: The ERP is away').waitFor();
    await expect
      .poll(() => page.evaluate(`document.activeElement.getAttribute('aria-label')`))
      .toBe('Actions on From its row');
    await press(page, '.');
    await choice('Resume …').waitFor();
    await press(page, 'Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await row.getByText('Active', { exact: true }).waitFor();
    await menu.click();
    await choice('Archive …').click();
    await expectAccessible(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Archive' }).click();
    await row.waitFor({ state: 'detached' });
    expect((await admin.getQueue({ path: { id } })).body.archived).toBe(true);
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('From the row behind');
    await page.getByLabel('Which queues').selectOption('Archived');
    await menu.click();
    await choice('Restore …').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
    await row.waitFor({ state: 'detached' });
    await page.getByLabel('Which queues').selectOption('All');
    await menu.click();
    await choice('Upload').click();
    await page.getByRole('button', { name: 'Choose a file' }).waitFor();
  });

  test('says in the menu of its row who may do what one may not', async () => {
    const { app } = stage;
    const rosa = await app.user('rosa');
    const id = await createInvoices(app, 'Of others');
    await app.admin.addOrUpdateQueueMember({ path: { id, userId: rosa.id }, body: { role: 'MEMBER' } });
    const page = await stage.open('/console/queues', { token: rosa.token });
    await page.getByRole('button', { name: 'Actions on Of others' }).click();
    const menu = page.getByRole('menu', { name: 'Actions on Of others' });
    await page
      .getByText(/^Only owners and queue admins may pause, resume or archive\..*MEMBER.*admin/)
      .waitFor();
    expect(await menu.getByRole('menuitem', { disabled: true }).allTextContents()).toEqual([
      'Pause …',
      'Archive …',
    ]);
    expect(await menu.getByRole('menuitem', { disabled: false }).allTextContents()).toEqual(['Upload']);
    await expectAccessible(page);
  });

  test('is a card on a phone, with all that its row says and can', async () => {
    await createInvoices(stage.app, 'On a phone');
    const viewport = { width: 390, height: 844 };
    const page = await stage.open('/console/queues?q=phone', { token, viewport });
    const menu = page.getByRole('button', { name: 'Actions on On a phone' });
    await menu.waitFor();
    const width = await page.evaluate<number>(`document.querySelector('.scroll').scrollWidth`);
    expect(width).toBeLessThanOrEqual(390);
    await expectAccessible(page);
    await menu.click();
    await page.getByRole('menuitem', { name: 'Pause …' }).click();
    await page.getByLabel('Reason, for the others').waitFor();
  });

  test('a queue is pinned and then comes first, and the list is narrowed down to those with failures', async () => {
    const { app } = stage;
    await createInvoices(app, 'Aardvark');
    const id = await createInvoices(app, 'Zebra');
    await addItems(app, id, [{ number: 'A-1' }, { number: 'A-2' }]);
    await failItems(app, id, 1, 'The vendor is not known');
    const asked: string[] = [];
    const page = await stage.open('/console/queues', { token: await tokenOfAdmin(stage) });
    page.on('request', (request) => asked.push(request.url()));
    // A pointer that comes to lie on a link would fetch its page ahead.
    await page.getByRole('button', { name: 'Pin Zebra' }).press('Enter');
    const first = page.getByRole('row').nth(1);
    await first.getByRole('link', { name: 'Zebra', exact: true }).waitFor();
    await expectAccessible(page);
    await page.reload();
    await first.getByRole('link', { name: 'Zebra', exact: true }).waitFor();
    await page.getByLabel('Which queues').selectOption('With failures');
    await page.getByRole('link', { name: 'Aardvark', exact: true }).waitFor({ state: 'detached' });
    await first.getByRole('link', { name: '1 Failed' }).waitFor();
    // All figures come in one call.
    expect(asked.filter((url) => /queues\/\d+\/stats/.test(url))).toEqual([]);
    await expect.poll(async () => (await app.admin.getPreferences()).body.pinnedQueueIds).toEqual([id]);
    const side = page.getByRole('navigation', { name: 'Pages' });
    await side.getByRole('link', { name: 'Zebra', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Zebra' }).waitFor();
    await expectAccessible(page);
    await page.goBack();
    await page.getByRole('button', { name: 'Unpin Zebra' }).click();
    await expect.poll(async () => (await app.admin.getPreferences()).body.pinnedQueueIds).toEqual([]);
    await side.getByRole('link', { name: 'Zebra', exact: true }).waitFor({ state: 'detached' });
  });
});
