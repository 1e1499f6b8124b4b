import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { password } from '../../server/src/testing/app.ts';
import { addItems, createInvoices, hostile } from './fixtures.ts';
import { pressUntilChosen } from './keys.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

const phone = { width: 390, height: 844 };
const refused = /status of (400|401)/;

describe.skipIf(browserFile === undefined)('In a browser,', () => {
  const stage = setStage();

  const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true });
  const row = (page: Page, name: string) => page.getByRole('listitem').filter({ hasText: name });

  /** A user with a generated password. */
  async function newcomer(username: string): Promise<{ readonly id: number; readonly temporary: string }> {
    const { body } = await stage.app.admin.createUser({ body: { username } });
    const id = Number(body.id);
    const answer = await stage.app.admin.resetUserPassword({ path: { id } });
    return { id, temporary: answer.body.temporaryPassword };
  }

  test('the first log-in asks for a password of one’s own, says what it must be, and goes on', async () => {
    const { temporary } = await newcomer('mara');
    const open = { viewport: phone, expected: refused };
    const page = await stage.open('/console/login?next=/console/queues', open);
    await page.getByLabel('User name').fill('mara');
    await page.getByLabel('Password').fill(temporary);
    await page.keyboard.press('Enter');
    await page.getByText('Your password is a temporary one.').waitFor();
    const button = page.getByRole('button', { name: 'Choose the password' });
    expect(await button.isDisabled()).toBe(true);
    await expectAccessible(page);
    // Nothing is open before a new password.
    await page.goto(`${stage.app.url}/console/queues`);
    await heading(page, 'Log in to Millrace').waitFor();
    await page.getByLabel('User name').fill('mara');
    await page.getByLabel('Password').fill(temporary);
    await page.keyboard.press('Enter');
    await page.getByLabel('New password').fill('aram and mara');
    await row(page, 'Without the user name').getByRole('img', { name: 'Not yet' }).waitFor();
    await row(page, 'At least 8 characters').getByRole('img', { name: 'Done' }).waitFor();
    await page.getByLabel('New password').fill('password123');
    await page.getByLabel('The same again').fill('password123');
    await button.click();
    await page.getByRole('alert').getByText('is one of the commonest').waitFor();
    await page.getByLabel('New password').fill(password);
    await page.getByLabel('The same again').fill(password);
    await page.keyboard.press('Enter');
    await heading(page, 'Queues').waitFor();
    await page.reload();
    await heading(page, 'Queues').waitFor();
    expect((await stage.app.as(undefined).logIn({ body: { username: 'mara', password } })).status).toBe(200);
  });

  test('whose password is reset logs in over the page, chooses one, and goes on', async () => {
    const id = await createInvoices(stage.app, 'Goes on');
    const { id: userId, token } = await stage.app.user('nils', ['AAE_Queue Admin']);
    const page = await stage.open('/console/queues', { token, expected: refused });
    await heading(page, 'Queues').waitFor();
    const { temporaryPassword } = (await stage.app.admin.resetUserPassword({ path: { id: userId } })).body;
    // The dialog may lie over it before it is pressed, as the stream of events tells of the end as well.
    await page.getByRole('link', { name: 'Goes on', exact: true }).dispatchEvent('click');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Password').fill(temporaryPassword);
    await page.keyboard.press('Enter');
    await dialog.getByLabel('New password').fill(password);
    await dialog.getByLabel('The same again').fill(password);
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Choose the password' }).click();
    await heading(page, 'Goes on').waitFor();
    expect(new URL(page.url()).pathname).toBe(`/console/queues/${id}`);
  });

  test('one’s own password is changed with the present one, and all other sessions end', async () => {
    const { token, call } = await stage.app.user('olaf');
    const other = (await stage.app.as(undefined).logIn({ body: { username: 'olaf', password } })).body.token;
    const page = await stage.open('/console/queues', { token, expected: refused });
    await page.getByRole('button', { name: 'User olaf' }).click();
    await page.getByRole('menuitem', { name: 'Settings' }).click();
    await heading(page, 'Settings').waitFor();
    await page.getByLabel('Present password').fill('not this one');
    await page.getByLabel('New password').fill('several quiet words');
    await page.getByLabel('The same again').fill('several quiet words');
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByRole('alert').getByText('is not your present one').waitFor();
    await expectAccessible(page);
    await page.getByLabel('Present password').fill(password);
    await page.keyboard.press('Enter');
    await page.getByText('Your password is changed').waitFor();
    expect(await page.getByLabel('Present password').inputValue()).toBe('');
    expect([(await call.getMe()).status, (await stage.app.as(other).getMe()).status]).toEqual([200, 401]);
  });

  test('one sees where one is logged in, and ends what is not here', async () => {
    const agent = hostile[1] ?? '';
    const { token } = await stage.app.user('pia', ['AAE_Queue Admin']);
    await fetch(`${stage.app.url}/v2/authentication`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': agent },
      body: JSON.stringify({ username: 'pia', password }),
    });
    const page = await stage.open('/console/settings', { token, viewport: phone });
    await page.getByText('This one').waitFor();
    await page.getByText(agent).waitFor();
    await page.getByText('There is no API key yet.').waitFor();
    await page.getByRole('button', { name: /^End the session/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End' }).click();
    await page.getByText(agent).waitFor({ state: 'detached' });
    await expectAccessible(page);
    const [wide, shown] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    );
    expect(wide).toBe(shown);
    expect(await page.evaluate('window.canary')).toBeUndefined();
  });

  test('how the console looks and listens is chosen, and kept in the browser', async () => {
    const id = await createInvoices(stage.app, 'Seen');
    await addItems(stage.app, id, [{ number: 'R-1' }]);
    const { token } = await stage.app.user('quinn', ['AAE_Queue Admin']);
    const page = await stage.open('/console/queues', { token });
    await heading(page, 'Queues').waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await heading(page, 'Settings').waitFor();
    await page.getByLabel('Dark').check();
    await page.getByLabel('Compact').check();
    await page.getByLabel('Time zone').selectOption('Asia/Tehran');
    await page.getByText(/^Now it is .*GMT\+3:30/).waitFor();
    await page.getByLabel(/^Single letters/).uncheck();
    await page.reload();
    await heading(page, 'Settings').waitFor();
    expect(await page.getByLabel('Compact').isChecked()).toBe(true);
    const html = page.locator('html');
    expect([await html.getAttribute('data-theme'), await html.getAttribute('data-density')]).toEqual([
      'dark',
      'compact',
    ]);
    await expectAccessible(page);
    await page.keyboard.press('g');
    await page.keyboard.press('q');
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.type('Seen');
    await pressUntilChosen(page, /^Seen/);
    await heading(page, 'Seen').waitFor();
    const item = page.getByRole('row', { name: /R-1/ });
    expect((await item.boundingBox())?.height).toBe(28);
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByLabel('Reason, for the others').fill('Night');
    await page.getByLabel(/^Until/).fill('2099-03-03T06:00');
    await page.getByText('Time in Asia/Tehran').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await page.getByText(/^Paused by quinn: Night/).waitFor();
    const { pause } = (await stage.app.admin.getQueue({ path: { id } })).body;
    expect(pause?.until).toBe('2099-03-03T02:30:00.000Z');
  });

  test('numbers and dates are written as in the region of the browser', async () => {
    const id = await createInvoices(stage.app, 'Regions');
    const records = Array.from({ length: 1234 }, (_, index) => ({ number: `R-${index}` }));
    await addItems(stage.app, id, records);
    const token = (await stage.app.as(undefined).logIn({ body: { username: 'admin', password } })).body.token;
    for (const [locale, number, date] of [
      ['de-DE', '1.234', /^\d{1,2} \w{3,4} \d{4}, \d{2}:\d{2}:\d{2} /],
      ['en-US', '1,234', /^\w{3} \d{1,2}, \d{4}, \d{1,2}:\d{2}:\d{2}\s[AP]M /],
    ] as const) {
      const page = await stage.open(`/console/queues/${id}`, { token, locale });
      await page.getByRole('heading', { level: 1, name: 'Regions' }).waitFor();
      await page.getByText(number).first().waitFor();
      expect(await page.locator('time[title]').first().getAttribute('title')).toMatch(date);
    }
  });

  test('an operator has tokens signed with a new key, and the session goes on', async () => {
    const token = (await stage.app.as(undefined).logIn({ body: { username: 'admin', password } })).body.token;
    const page = await stage.open('/console/settings', { token });
    await page.getByRole('button', { name: 'Sign with a new key' }).click();
    await page.getByRole('dialog').getByText('everybody logs in again').waitFor();
    await expectAccessible(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Sign with a new key' }).click();
    await page.getByText(/^Tokens are signed with the key .+ from now on\.$/).waitFor();
  });
});
