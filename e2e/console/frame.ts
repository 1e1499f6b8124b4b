import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { password } from '../../server/src/testing/app.ts';
import { addItems, createInvoices, hostile } from './fixtures.ts';
import { expectAccessible, type Stage } from './stage.ts';

const refused = /status of 401/;
const broken = /ERR_INTERNET_DISCONNECTED/;

async function logIn(page: Page, username: string, secret = password): Promise<void> {
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password').fill(secret);
  await page.keyboard.press('Enter');
}

const title = (page: Page, name: string) => page.getByRole('heading', { level: 1, name });

export function testFrame(stage: () => Stage): void {
  describe('the frame of the console', () => {
    test('is reached from /, by keys alone, and a reload keeps the session', async () => {
      const page = await stage().open('/', { colorScheme: 'dark' });
      await title(page, 'Log in to Millrace').waitFor();
      await page.keyboard.type('admin');
      await page.keyboard.press('Tab');
      await page.keyboard.type(password);
      await page.keyboard.press('Enter');
      await title(page, 'Overview').waitFor();
      await page.reload();
      await title(page, 'Overview').waitFor();
      expect(new URL(page.url()).pathname).toBe('/console/');
    });

    test('says of a wrong password what the server says', async () => {
      const page = await stage().open('/console/login', { expected: refused });
      await logIn(page, 'admin', 'wrong');
      await expect.poll(() => page.getByRole('alert').textContent()).toMatch(/password/i);
      await expectAccessible(page);
    });

    test('logs in once, however often Enter is pressed meanwhile', async () => {
      const page = await stage().open('/console/login');
      let asked = 0;
      page.on('request', (request) => {
        if (request.postData()?.includes(password)) asked += 1;
      });
      await page.getByLabel('User name').fill('admin');
      await page.getByLabel('Password').fill(password);
      await Promise.all([1, 2, 3].map(() => page.keyboard.press('Enter')));
      await title(page, 'Overview').waitFor();
      expect(asked).toBe(1);
    });

    test('leads after the log-in to where one wanted to go, and to no other server', async () => {
      await createInvoices(stage().app, 'Something');
      const page = await stage().open('/console/queues?q=nothing');
      await logIn(page, 'admin');
      await page.getByRole('heading', { name: /No queue has .nothing./ }).waitFor();
      const other = await stage().open('/console/login?next=//example.invalid/');
      await logIn(other, 'admin');
      await title(other, 'Overview').waitFor();
    });

    test('asks over the page for a new log-in when the session has ended, and goes on', async () => {
      const { app, open } = stage();
      await createInvoices(app, 'Waits');
      const { token, call } = await app.user('anna', ['AAE_Queue Admin']);
      const page = await open('/console/queues', { token, expected: refused });
      const link = page.getByRole('link', { name: 'Waits', exact: true });
      // The dialog may lie over it before the click, as the stream of events tells of the end as well.
      const pressed = await link.elementHandle();
      await call.logOut();
      await pressed?.dispatchEvent('click');
      await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
      await expectAccessible(page);
      await page.getByLabel('Password').fill(password);
      await page.keyboard.press('Enter');
      await title(page, 'Waits').waitFor();
      expect(await page.getByRole('dialog').count()).toBe(0);
    });

    test('keeps no token where a script could read it, and forgets the session at the log-out', async () => {
      const page = await stage().open('/console/login', { expected: refused });
      await logIn(page, 'admin');
      await title(page, 'Overview').waitFor();
      expect(await page.evaluate('JSON.stringify([sessionStorage, document.cookie])')).not.toContain('eyJ');
      await page.getByRole('button', { name: 'User admin' }).click();
      await page.getByRole('menuitem', { name: 'Log out' }).click();
      await title(page, 'Log in to Millrace').waitFor();
      await page.goto(`${stage().app.url}/console/queues`);
      await title(page, 'Log in to Millrace').waitFor();
      expect(await page.context().cookies()).toEqual([]);
    });

    test('finds pages and queues by typing', async () => {
      const { app, open } = stage();
      const token = await tokenOfAdmin(stage());
      const page = await open('/console/queues', { token });
      await title(page, 'Queues').waitFor();
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.type('Theme: Dark');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await expect.poll(() => page.locator('html').getAttribute('data-theme')).toBe('dark');
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').waitFor();
      await expectAccessible(page);
      expect(app.url).toBe(new URL(page.url()).origin);
    });

    test('finds items of all queues by typing, and leads to each', async () => {
      const { app, open } = stage();
      const ids = [await createInvoices(app, 'From paper'), await createInvoices(app, 'From mail')];
      for (const id of ids) await addItems(app, id, [{ number: `Q-7788-${id}`, vendor: hostile[4] }]);
      const page = await open('/console/queues', { token: await tokenOfAdmin(stage()) });
      await title(page, 'Queues').waitFor();
      await page.keyboard.press('Control+k');
      const dialog = page.getByRole('dialog');
      await dialog.waitFor();
      await page.keyboard.type('q-7788');
      await dialog.getByRole('menuitem', { name: /^Q-7788-.*From paper/ }).waitFor();
      await expectAccessible(page);
      await dialog.getByRole('menuitem', { name: /^Q-7788-.*From mail.*New/ }).click();
      await page.getByText(`Q-7788-${ids[1]}`).first().waitFor();
      expect(new URL(page.url()).pathname).toMatch(`/console/queues/${ids[1]}/workitems/`);
    });

    test('says of the items it finds that there may be more', async () => {
      const { app, open } = stage();
      const id = await createInvoices(app, 'Many');
      for (const part of [1, 2, 3]) {
        const many = Array.from({ length: 700 }, (_, index) => ({ number: `Z-${part}-${index}` }));
        await addItems(app, id, many);
      }
      const page = await open('/console/queues', { token: await tokenOfAdmin(stage()) });
      await title(page, 'Queues').waitFor();
      await page.keyboard.press('Control+k');
      const dialog = page.getByRole('dialog');
      await dialog.waitFor();
      await page.keyboard.type('z-3-');
      await dialog.getByText('More items than these have it. Some queues have older items').waitFor();
      await page.keyboard.press('Backspace');
      await page.keyboard.type('x');
      await dialog.getByText('Nothing matches.').waitFor();
      expect(await dialog.getByRole('status').textContent()).toMatch(/^Some queues have older items/);
      await expectAccessible(page);
    });

    test('ends the session in all tabs of a user at once', async () => {
      const first = await stage().open('/console/login', { expected: refused });
      await logIn(first, 'admin');
      await title(first, 'Overview').waitFor();
      const second = await first.context().newPage();
      await second.goto(first.url());
      await title(second, 'Overview').waitFor();
      await first.getByRole('button', { name: 'User admin' }).click();
      await first.getByRole('menuitem', { name: 'Log out' }).click();
      await title(second, 'Log in to Millrace').waitFor();
      expect(await second.context().cookies()).toEqual([]);
    });

    test('has on a phone the pages that are used less behind a button', async () => {
      const viewport = { width: 390, height: 844 };
      const page = await stage().open('/console/', { token: await tokenOfAdmin(stage()), viewport });
      await title(page, 'Overview').waitFor();
      const pages = page.getByRole('navigation', { name: 'Pages' });
      expect(await pages.getByRole('link').allTextContents()).toHaveLength(4);
      await pages.getByRole('button', { name: 'More' }).click();
      await page.getByRole('menuitem', { name: 'Pools' }).waitFor();
      await expectAccessible(page);
      await page.getByRole('menuitem', { name: 'Models' }).click();
      await title(page, 'Models').waitFor();
    });

    test('folds its side to icons, each with its name, and remembers that on whatever browser', async () => {
      const { app, open } = stage();
      const id = await createInvoices(app, 'At the side');
      const { token, call } = await app.user('folder', ['AAE_Queue Admin']);
      await call.updatePreferences({ body: { pinnedQueueIds: [id] } });
      const page = await open('/console/queues', { token });
      const side = page.getByRole('navigation', { name: 'Pages' });
      const width = async () => (await side.boundingBox())?.width;
      await side.getByRole('link', { name: 'At the side', exact: true }).waitFor();
      expect(await width()).toBe(200);
      await side.getByRole('button', { name: 'Show icons alone' }).click();
      await side.getByRole('button', { name: 'Show names' }).waitFor();
      await expectAccessible(page);
      expect(await width()).toBe(56);
      await expect.poll(async () => (await call.getPreferences()).body.sideFolded).toBe(true);
      const other = await open('/console/queues', { token });
      const folded = other.getByRole('navigation', { name: 'Pages' });
      expect((await folded.boundingBox())?.width).toBe(56);
      const devices = folded.getByRole('link', { name: 'Devices', exact: true });
      expect(await devices.getAttribute('title')).toBe('Devices (g d)');
      await folded.getByRole('link', { name: 'At the side', exact: true }).click();
      await title(other, 'At the side').waitFor();
      await folded.getByRole('button', { name: 'Show names' }).click();
      await folded.getByRole('button', { name: 'Show icons alone' }).waitFor();
      expect((await folded.boundingBox())?.width).toBe(200);
    });

    test('prints a page whole, without what is around it', async () => {
      const page = await stage().open('/console/automations', { token: await tokenOfAdmin(stage()) });
      await title(page, 'Automations').waitFor();
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
      expect(await page.getByRole('navigation', { name: 'Pages' }).count()).toBe(0);
      expect(await page.getByRole('button').count()).toBe(0);
      const [overflow, height] = await page.evaluate<[string, string]>(
        `[getComputedStyle(document.querySelector('main')).overflowY, document.querySelector('main').parentElement.style.height]`,
      );
      expect([overflow, height]).toEqual(['visible', '']);
    });

    test('shows its keys', async () => {
      const page = await stage().open('/console/queues', { token: await tokenOfAdmin(stage()) });
      await title(page, 'Queues').waitFor();
      await page.keyboard.press('?');
      await page.getByRole('dialog').getByText('Have the page stand still, or go on').waitFor();
      await expectAccessible(page);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    });

    test('says which part of an address it has left out', async () => {
      const id = await createInvoices(stage().app, 'Left out');
      const page = await stage().open(`/console/queues/${id}?sort=1;2&peek=all&q=status:NEW`, {
        token: await tokenOfAdmin(stage()),
      });
      await page.getByText('was not understood and was left out: sort, peek.').waitFor();
      await page.getByRole('button', { name: 'Remove status:NEW' }).waitFor();
      await expectAccessible(page);
    });

    test('goes to a page by g and its key', async () => {
      const id = await createInvoices(stage().app, 'By key');
      const page = await stage().open(`/console/queues/${id}`, { token: await tokenOfAdmin(stage()) });
      await title(page, 'By key').waitFor();
      await page.keyboard.press('g');
      await page.keyboard.press('q');
      await title(page, 'Queues').waitFor();
    });

    test('says since when the server does not answer, and goes on by itself', async () => {
      await createInvoices(stage().app, 'Away');
      const token = await tokenOfAdmin(stage());
      const page = await stage().open('/console/queues', { token, expected: broken });
      const all = page.getByRole('row', { name: /^Away/ }).getByRole('link', { name: 'All' });
      await all.waitFor();
      await page.context().setOffline(true);
      await all.click();
      await page.getByText('The server does not answer since').waitFor();
      await page.context().setOffline(false);
      await page.getByText('The server does not answer since').waitFor({ state: 'detached' });
      await title(page, 'Away').waitFor();
      await page.getByRole('heading', { name: 'Nothing was put into this queue yet.' }).waitFor();
    });

    test('lets nobody confirm what the server would not hear, and says so', async () => {
      const id = await createInvoices(stage().app, 'Out of reach');
      const token = await tokenOfAdmin(stage());
      const page = await stage().open(`/console/queues/${id}`, { token, expected: broken });
      await page.getByRole('button', { name: 'Pause', exact: true }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Reason, for the others').fill('The ERP is away');
      await page.context().setOffline(true);
      await dialog.getByText('The server does not answer. This can be done once it does.').waitFor();
      expect(await dialog.getByRole('button', { name: 'Pause' }).isDisabled()).toBe(true);
      await page.context().setOffline(false);
      await dialog.getByText('The server does not answer.').waitFor({ state: 'detached' });
      await dialog.getByRole('button', { name: 'Pause' }).click();
      await page.getByText(/^Paused by admin: The ERP is away/).waitFor();
    });

    test('counts down to the next attempt while the server puts a call off', async () => {
      const id = await createInvoices(stage().app, 'Put off');
      const token = await tokenOfAdmin(stage());
      const page = await stage().open('/console/queues', { token, expected: /status of 503/ });
      await page.getByRole('row', { name: /^Put off/ }).waitFor();
      const body = { code: 'BUSY', message: 'Too much to do.', details: [] };
      let isTold = false;
      await page.route(/workitems\/list/, (route) =>
        isTold
          ? route.continue()
          : route.fulfill({ status: 503, json: body, headers: { 'retry-after': '2' } }),
      );
      await page
        .getByRole('row', { name: /^Put off/ })
        .getByRole('link', { name: 'All' })
        .click();
      await page.getByText(/^The server has more to do than it can, and is asked again in \d s$/).waitFor();
      isTold = true;
      await page.getByRole('heading', { name: 'Nothing was put into this queue yet.' }).waitFor();
      expect(new URL(page.url()).pathname).toBe(`/console/queues/${id}`);
    });

    test('says that there is no such page, and no such queue', async () => {
      const token = await tokenOfAdmin(stage());
      const page = await stage().open('/console/nothing', { token });
      await page.getByRole('heading', { name: 'There is no such page.' }).waitFor();
      await page.getByRole('link', { name: 'Go to the overview' }).click();
      await title(page, 'Overview').waitFor();
      const other = await stage().open('/console/queues/999999', { token, expected: /status of 404/ });
      await other
        .getByRole('heading', { name: 'This does not exist, or you do not belong to it.' })
        .waitFor();
      await expectAccessible(other);
    });
  });
}

export async function tokenOfAdmin({ app }: Stage): Promise<string> {
  const { body } = await app.admin.logIn({ body: { username: 'admin', password } });
  return body.token;
}
