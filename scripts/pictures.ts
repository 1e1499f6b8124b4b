/**
 * Takes the pictures of docs/console.md: `npx tsx scripts/pictures.ts URL PASSWORD`, at a server that runs, such as the one that
 * `npm run demo -- --keep` leaves, whose first queue is shown.
 */
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const [, , url = 'http://127.0.0.1:8080', password = ''] = process.argv;
const folder = path.join(import.meta.dirname, '../docs/console');

const pictures = [
  { name: 'overview-light', address: '', width: 1280, colorScheme: 'light' },
  { name: 'devices-dark', address: 'devices', width: 1280, colorScheme: 'dark' },
  { name: 'queues-light', address: 'queues', width: 1280, colorScheme: 'light' },
  { name: 'items-dark', address: 'queues/1?q=status:FAILED&peek=first', width: 1280, colorScheme: 'dark' },
  { name: 'charts-light', address: 'queues/1/charts?range=1h', width: 1280, colorScheme: 'light' },
  { name: 'item-light', address: 'queues/1/workitems/first', width: 1280, colorScheme: 'light' },
  { name: 'phone-dark', address: 'queues/1', width: 390, colorScheme: 'dark' },
  { name: 'user-light', address: 'users/1', width: 1280, colorScheme: 'light' },
] as const;

const secondsToSettle = 2;

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});
const first = await firstFailed();
for (const picture of pictures) await take(browser, picture);
await browser.close();

async function take(
  from: Browser,
  { name, address, width, colorScheme }: (typeof pictures)[number],
): Promise<void> {
  const viewport = { width, height: width < 500 ? 780 : 640 };
  const page = await from.newPage({ viewport, colorScheme });
  await page.goto(`${url}/console/login`);
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  await page.goto(`${url}/console/${address.replace('first', first)}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  // Some pages follow what happens by a stream that never ends.
  await page.waitForTimeout(secondsToSettle * 1000);
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
  await page.close();
}

/** The item that is looked at: the newest that failed. */
async function firstFailed(): Promise<string> {
  const send = async (to: string, body: object, token = '') => {
    const headers = { 'content-type': 'application/json', 'x-authorization': token };
    const response = await fetch(url + to, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await response.json()) as { token: string; list: { id: number }[] };
  };
  const { token } = await send('/v2/authentication', { username: 'admin', password });
  const filter = { operator: 'eq', field: 'status', value: 'FAILED' };
  const sort = [{ field: 'createdOn', direction: 'desc' }];
  const { list } = await send('/v4/wlm/queues/1/workitems/list', { filter, sort }, token);
  return String(list[0]?.id);
}
