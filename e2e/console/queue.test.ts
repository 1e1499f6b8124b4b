import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { addItems, createInvoices, hostile } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage, type Stage } from './stage.ts';

describe.skipIf(browserFile === undefined)('In a browser, a queue', () => {
  let stage: Stage;
  let token = '';
  beforeAll(async () => {
    stage = await setStage();
    token = await tokenOfAdmin(stage);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage.stop());

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

  test('shows what cannot be seen in the reason of its pause as marks, in why it stands still and in the list', async () => {
    const id = await createInvoices(stage.app, 'Marked');
    await stage.app.admin.pauseQueue({ path: { id }, body: { reason: `P ${hostile[4]}` } });
    const page = await stage.open(`/console/queues/${id}/why`, { token });
    await page
      .getByRole('listitem')
      .filter({ hasText: /P leftU\+202E/ })
      .waitFor();
    await page.goto(`${stage.app.url}/console/queues`);
    await page.getByText(/P leftU\+202E/).waitFor();
  });

  test('is paused by somebody else, and the page of the reader says so', async () => {
    const id = await createInvoices(stage.app, 'From afar');
    const page = await stage.open(`/console/queues/${id}`, { token });
    await page.getByRole('button', { name: 'Live. Pause (l)' }).waitFor();
    await stage.app.admin.pauseQueue({ path: { id }, body: { reason: 'Month end' } });
    await page.getByText('Paused by admin: Month end · until somebody resumes it').waitFor();
  });
});
