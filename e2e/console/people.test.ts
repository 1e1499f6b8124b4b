import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { password } from '../../server/src/testing/app.ts';
import { createInvoices, hostile } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage, type Stage } from './stage.ts';

const run = promisify(execFile);
const millrace = path.join(import.meta.dirname, '../../cli/bin/millrace.mjs');
const phone = { width: 390, height: 844 };
// Names of users and roles are refused with invisible characters in them.
const plain = hostile.filter((text) => !/[\u0000-\u001f\u200b\u202e]/.test(text));

describe.skipIf(browserFile === undefined)('In a browser,', () => {
  const stage = setStage();
  let token: string;
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
  });

  const open = (address: string, how = {}) => stage.open(address, { token, ...how });
  const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true });
  const dialogOf = (page: Page) => page.getByRole('dialog');

  async function expectNarrow(page: Page): Promise<void> {
    const [wide, shown] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    );
    expect(wide, page.url()).toBe(shown);
  }

  async function roleId(name: string): Promise<number> {
    const filter = { operator: 'eq', field: 'name', value: name };
    return Number((await stage.app.admin.listRoles({ body: { filter } })).body.list[0]?.id);
  }

  test('users are found by name, and whatever stands in one is text', async () => {
    for (const [index, text] of plain.entries())
      await stage.app.admin.createUser({
        body: { username: `${index} ${text}`, firstName: hostile[4] ?? '', lastName: text, email: text },
      });
    const page = await open('/console/queues');
    await heading(page, 'Queues').waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('u');
    await heading(page, 'Users').waitFor();
    await page.getByRole('row', { name: /^admin \(you\)/ }).waitFor();
    await expectAccessible(page);
    await page.getByLabel('Find a user by name or e-mail address').fill('<SCRIPT>');
    await expect.poll(() => page.getByRole('row').count()).toBe(2);
    await page.getByRole('link', { name: /<script>/ }).click();
    await heading(page, `1 ${plain[1]}`).waitFor();
    await page.getByText('U+202E').first().waitFor();
    await expectAccessible(page);
    await page.goBack();
    await page.getByLabel('Find a user by name or e-mail address').fill('nobody of this name');
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByRole('row', { name: /^admin/ }).waitFor();
    expect(await page.evaluate('window.canary')).toBeUndefined();
  });

  test('a user is made by keys alone, and gets a password that is shown once', async () => {
    const page = await open('/console/users', { viewport: phone });
    await page.getByRole('button', { name: 'New user' }).focus();
    await page.keyboard.press('Enter');
    await dialogOf(page).waitFor();
    await page.keyboard.type('mara');
    await page.keyboard.press('Tab');
    await page.keyboard.type('Mara');
    await expectAccessible(page);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Temporary password of mara' }).waitFor();
    await expectAccessible(page);
    await expectNarrow(page);
    // A slip must not lose a secret.
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Copy Temporary password of mara' }).click();
    const secret = await page.evaluate<string>('navigator.clipboard.readText()');
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await dialogOf(page).waitFor({ state: 'detached' });
    await page.getByRole('row', { name: /mara.*Has a temporary password/ }).waitFor();
    expect(await page.content()).not.toContain(secret);
    const { status } = await stage.app.as(undefined).logIn({ body: { username: 'mara', password: secret } });
    expect(status).toBe(200);
  });

  test('what other roles give and take is said before they are saved, and by which role one may', async () => {
    const { id } = await stage.app.user('noa', ['AAE_Basic']);
    const page = await open(`/console/users/${id}`);
    await page
      .getByRole('listitem')
      .filter({ hasText: 'Create queues and models' })
      .getByText('by AAE_Basic')
      .waitFor();
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await dialogOf(page)
      .getByRole('checkbox', { name: /^AAE_Basic/ })
      .uncheck();
    await dialogOf(page)
      .getByRole('checkbox', { name: /^AAE_Auditor/ })
      .check();
    const told = dialogOf(page).getByRole('status');
    await told.getByText('View users and roles').waitFor();
    expect(await told.textContent()).toMatch(/^Gives:.*View all queues.*Takes:.*Create queues and models/);
    await expectAccessible(page);
    await dialogOf(page).getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved: noa.').waitFor();
    await page.getByText('by AAE_Auditor').first().waitFor();
    const { roles } = (await stage.app.admin.getUser({ path: { id } })).body;
    expect(roles.map(({ name }) => name)).toEqual(['AAE_Auditor']);
  });

  test('a user’s session is ended, the user is kept out and let in by the command that the dialog shows', async () => {
    const { id, call } = await stage.app.user('ola', ['AAE_Basic']);
    const page = await open(`/console/users/${id}`);
    await page.getByRole('button', { name: /^End the session of ola/ }).click();
    await dialogOf(page).getByRole('button', { name: 'End' }).click();
    await page.getByText('Nobody is logged in.').waitFor();
    expect((await call.getMe()).status).toBe(401);
    await page.getByRole('button', { name: 'Keep out' }).click();
    await dialogOf(page).getByText('As command, as curl').click();
    await expectAccessible(page);
    const command = await dialogOf(page).getByRole('region', { name: 'Command' }).textContent();
    expect(command).toBe(`millrace user disable ${id}`);
    await run(process.execPath, [millrace, 'user', 'disable', String(id)], { env: asAdmin(stage) });
    await dialogOf(page).getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Let in again' }).click();
    await dialogOf(page).getByRole('button', { name: 'Let in again' }).click();
    await page.getByRole('button', { name: 'Keep out' }).waitFor();
    expect((await stage.app.admin.getUser({ path: { id } })).body.disabled).toBe(false);
  });

  test('a user is deleted once the name was typed, and stays by the name', async () => {
    const { id } = await stage.app.user('pia');
    const page = await open(`/console/users/${id}`);
    await page.getByRole('button', { name: 'Delete' }).click();
    const button = dialogOf(page).getByRole('button', { name: 'Delete' });
    expect(await button.isDisabled()).toBe(true);
    await dialogOf(page).getByLabel('Type pia to delete for ever').fill('pia');
    await button.click();
    await heading(page, 'Users').waitFor();
    const later = await open(`/console/users/${id}`);
    await later.getByText('This user was deleted.').waitFor();
    expect(await later.getByRole('button', { name: 'Delete' }).count()).toBe(0);
    await expectAccessible(later);
  });

  test('the last administrator and oneself are protected, and that is said', async () => {
    const page = await open('/console/users/1');
    await heading(page, 'admin').waitFor();
    await page.getByText('This is the last administrator who can log in.').first().waitFor();
    expect(await page.getByRole('button', { name: 'Keep out' }).isDisabled()).toBe(true);
    expect(await page.getByRole('button', { name: 'Delete' }).isDisabled()).toBe(true);
    await page.getByText('This is you. Change your password, with the present one').waitFor();
    const { id, token: own } = await stage.app.user('second admin', ['AAE_Admin']);
    const other = await stage.open(`/console/users/${id}`, { token: own });
    await other.getByText('This is you. Somebody else has to do it').first().waitFor();
    await other.goto(`${stage.app.url}/console/users/1`);
    await other.getByText('This user may do more than you (Manage the installation').first().waitFor();
    expect(await other.getByRole('button', { name: 'Change', exact: true }).isDisabled()).toBe(true);
    await expectAccessible(other);
    await stage.app.admin.deleteUser({ path: { id } });
  });

  test('an auditor looks and changes nothing, and who may not look is told so', async () => {
    const { token: auditor } = await stage.app.user('quentin', ['AAE_Auditor']);
    const page = await stage.open('/console/users', { token: auditor });
    await page.getByText('You may look: changes need the permission manageUsers.').waitFor();
    await page.getByRole('link', { name: 'admin', exact: true }).click();
    await page.getByText('Changes need the permission manageUsers.').first().waitFor();
    expect(await page.getByRole('button', { name: 'Reset password' }).isDisabled()).toBe(true);
    const { token: basic } = await stage.app.user('ruth');
    const other = await stage.open('/console/users', { token: basic, expected: /status of 403/ });
    await other.getByRole('heading', { name: 'You may not see this.' }).waitFor();
    expect(await other.getByRole('link', { name: 'Users' }).count()).toBe(0);
    await expectAccessible(other);
  });

  test('a role is made, and says what a change takes from whom before it is applied', async () => {
    const [name] = plain;
    const page = await open('/console/roles', { viewport: phone });
    await heading(page, 'Roles').waitFor();
    await expectAccessible(page);
    await expectNarrow(page);
    await page.getByRole('button', { name: 'New role' }).click();
    await page.keyboard.type(name ?? '');
    await dialogOf(page)
      .getByRole('checkbox', { name: /viewUsers/ })
      .check();
    await dialogOf(page).getByRole('button', { name: 'Make the role' }).click();
    await heading(page, name ?? '').waitFor();
    const id = await roleId(name ?? '');
    await stage.app.admin.createUser({ body: { username: 'sam', roles: [{ id }] } });
    await page.reload();
    await page.getByRole('link', { name: 'sam' }).waitFor();
    await page.getByText(/^Opens \d+ operations$/).click();
    await page.getByRole('link', { name: 'listUsers' }).waitFor();
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await dialogOf(page)
      .getByRole('checkbox', { name: /viewUsers/ })
      .uncheck();
    await dialogOf(page).getByRole('button', { name: 'Say what it takes' }).click();
    await dialogOf(page).getByText('It takes from 1 user what no other role grants:').waitFor();
    await dialogOf(page).getByText('sam: View users and roles').waitFor();
    expect((await stage.app.admin.getRole({ path: { id } })).body.permissions).toContain('viewUsers');
    await expectAccessible(page);
    await dialogOf(page).getByRole('button', { name: 'Apply' }).click();
    await page.getByText(`Saved: ${name}.`).waitFor();
    expect((await stage.app.admin.getRole({ path: { id } })).body.permissions).toEqual(['useQueues']);

    await page.getByRole('button', { name: 'Delete' }).click();
    await dialogOf(page).getByText('sam: View and use the queues one belongs to').waitFor();
    await expectAccessible(page);
    await dialogOf(page).getByRole('button', { name: 'Delete' }).click();
    await heading(page, 'Roles').waitFor();
    await expect.poll(() => page.getByRole('link', { name: name ?? '' }).count()).toBe(0);
    expect(await page.evaluate('window.canary')).toBeUndefined();
  });

  test('a role of the server stays as it is, and says so', async () => {
    const page = await open(`/console/roles/${await roleId('AAE_Basic')}`);
    await page.getByText('A role of the server stays as it is.').waitFor();
    expect(await page.getByRole('button', { name: 'Delete' }).isDisabled()).toBe(true);
    await expectAccessible(page);
  });

  test('a key is made for less than its user may, shown once, replaced and revoked', async () => {
    const queue = await createInvoices(stage.app, hostile[1] ?? '');
    const { token: own, call } = await stage.app.user('tom', ['AAE_Queue Admin']);
    const page = await stage.open('/console/apikeys', { token: own });
    await page.getByRole('heading', { name: 'There is no API key yet.' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'New key' }).click();
    await page.keyboard.type(hostile[5] ?? '');
    await dialogOf(page).getByLabel('Only this').check();
    expect(
      await dialogOf(page)
        .getByRole('checkbox', { name: /generateApiKey/ })
        .count(),
    ).toBe(0);
    await dialogOf(page)
      .getByRole('checkbox', { name: /useQueues/ })
      .check();
    await dialogOf(page)
      .getByLabel(/^Only in these/)
      .check();
    await dialogOf(page)
      .getByRole('checkbox', { name: hostile[1] ?? '' })
      .check();
    await expectAccessible(page);
    await dialogOf(page).getByRole('button', { name: 'Make the key' }).click();
    await page.getByRole('button', { name: 'Copy Key', exact: true }).click();
    const secret = await page.evaluate<string>('navigator.clipboard.readText()');
    await page.getByText('Set up a program with it').first().click();
    await page.getByText(`export MILLRACE_API_KEY=${secret}`).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'I have kept it' }).click();
    const row = page.getByRole('row', {
      name: /HYPERLINK.*View and use the queues one belongs to, in 1 queue/,
    });
    await row.waitFor();
    expect(await page.content()).not.toContain(secret);
    const logged = await stage.app.as(undefined).logIn({ body: { username: 'tom', apiKey: secret } });
    const [key] = (await call.listApiKeys()).body.list;
    expect([logged.status, key?.permissions, key?.queueIds]).toEqual([200, ['useQueues'], [queue]]);

    await row.getByRole('button', { name: /^Rotate/ }).click();
    await dialogOf(page).getByLabel('The old key stays good for').selectOption('hour');
    await dialogOf(page).getByRole('button', { name: 'Rotate' }).click();
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByText(`in place of key ${String(key?.id)}`).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: `Revoke ${hostile[5]} (${secret.slice(0, 6)}…)` }).click();
    await dialogOf(page).getByText('It was last used:').waitFor();
    await dialogOf(page).getByRole('button', { name: 'Revoke' }).click();
    await expect.poll(() => page.getByRole('row', { name: /HYPERLINK/ }).count()).toBe(1);
    expect((await stage.app.as(logged.body.token).getMe()).status).toBe(401);
    expect(await page.evaluate('window.canary')).toBeUndefined();
  });

  test('an administrator makes a key for a program, and sees the keys of all', async () => {
    const { id } = await stage.app.user('runner', ['AAE_Bot Runner']);
    const page = await open('/console/apikeys', { viewport: phone });
    await page.getByRole('button', { name: 'New key' }).click();
    await page.keyboard.type('night run');
    await dialogOf(page).getByLabel('For', { exact: true }).selectOption({ label: 'runner' });
    await dialogOf(page).getByLabel('Good until').selectOption('never');
    await dialogOf(page).getByRole('button', { name: 'Make the key' }).click();
    await page.getByText(`export MILLRACE_USERNAME='runner'`).waitFor({ state: 'attached' });
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByRole('row', { name: /night run.*runner/ }).waitFor();
    await expectNarrow(page);
    await expectAccessible(page);
    const filter = { operator: 'eq', field: 'userId', value: String(id) };
    expect((await stage.app.admin.listApiKeys({ body: { filter } })).body.list[0]?.expiresOn).toBeUndefined();
  });

  test('an operator makes a tenant, keeps it out and lets it in again, but not the own one', async () => {
    const page = await open('/console/tenants');
    await page.getByText('Your own: nobody could let it in again.').waitFor();
    await page.getByRole('button', { name: 'New tenant' }).click();
    await page.keyboard.type('Aqua');
    await page.keyboard.press('Tab');
    await page.keyboard.type('admin of aqua');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Temporary password of admin of aqua' }).waitFor();
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByRole('button', { name: 'Keep out Aqua' }).click();
    await expectAccessible(page);
    await dialogOf(page).getByRole('button', { name: 'Keep out' }).click();
    await page.getByRole('button', { name: 'Let Aqua in again' }).click();
    await dialogOf(page).getByRole('button', { name: 'Let in again' }).click();
    await page.getByRole('button', { name: 'Keep out Aqua' }).waitFor();
    const { token: basic } = await stage.app.user('ulla', ['AAE_Admin']);
    const other = await stage.open('/console/tenants', { token: basic, expected: /status of 403/ });
    await other.getByRole('heading', { name: 'You may not see this.' }).waitFor();
  });
});

/** The settings with which the command line calls as the administrator. */
function asAdmin({ app }: Stage): NodeJS.ProcessEnv {
  return { ...process.env, MILLRACE_URL: app.url, MILLRACE_USERNAME: 'admin', MILLRACE_PASSWORD: password };
}
