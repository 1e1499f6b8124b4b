import { beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../server/src/postgres/free-port.ts';
import { startProvider, worker } from '../../server/src/testing/sign-on.ts';
import { browserFile, setStage } from './stage.ts';

describe.skipIf(browserFile === undefined)('In a browser,', () => {
  let port: number;
  let publicUrl: string;
  let acme: Awaited<ReturnType<typeof startProvider>>;
  let ofProvider: RegExp;
  beforeAll(async () => {
    port = await freePort();
    publicUrl = `http://127.0.0.1:${port}`;
    acme = await startProvider([`${publicUrl}/console/sign-on`]);
    // The provider's own pages are not under test.
    ofProvider = new RegExp(`${acme.issuer}|fonts[.]googleapis`);
  });
  const stage = setStage(() => ({ port, signOn: acme.settings({}, publicUrl) }));

  test('a provider’s button logs in, on the page that was asked for, and a reload and the log-out know the session', async () => {
    acme.person = worker('ann');
    const page = await stage.open('/console/queues?q=late', { expected: ofProvider });
    await page.getByRole('button', { name: 'Log in with Acme' }).click();
    await page.getByRole('heading', { name: 'Queues' }).waitFor();
    expect(page.url()).toBe(`${publicUrl}/console/queues?q=late`);
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
    await page.reload();
    await page.getByRole('heading', { name: 'Queues' }).waitFor();
    await page.getByRole('button', { name: 'ann@acme.example' }).click();
    await page.getByRole('menuitem', { name: 'Log out' }).click();
    // The provider asks whether to log out there too.
    await page.waitForURL(`${acme.issuer}/session/end**`);
  });

  test('who comes back with an answer that this tab has not begun is not logged in, and is told so', async () => {
    const page = await stage.open('/console/sign-on?code=stolen&state=made-up', { expected: /401/ });
    await page.getByRole('alert').getByText('This sign-on was not begun here').waitFor();
    await page.getByRole('link', { name: 'To the log-in page' }).click();
    await page.getByRole('button', { name: 'Log in with Acme' }).waitFor();
    expect(page.url()).toContain('/console/');
  });
});
