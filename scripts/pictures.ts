/**
 * Takes the pictures of docs/console.md: `npx tsx scripts/pictures.ts URL PASSWORD`, at a running server, such as the one
 * that `npm run demo -- --keep` leaves; it shows the first queue.
 */
import path from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';

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
  { name: 'upload-light', address: 'queues/1/upload', width: 1280, colorScheme: 'light' },
  { name: 'user-light', address: 'users/1', width: 1280, colorScheme: 'light' },
] as const;

const secondsToSettle = 2;

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});
const token = await logIn();
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
  if (address.endsWith('upload')) await tryFile(page);
  // Some pages follow what happens by a stream that never ends.
  await page.waitForTimeout(secondsToSettle * 1000);
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
  await page.close();
}

/** Tries a file that fits the queue except for one row, up to the step that says what would become of it. */
async function tryFile(page: Page): Promise<void> {
  const { workItemModelId } = await ask<{ workItemModelId: number }>('GET', '/v4/wlm/queues/1');
  const { attributes } = await ask<{ attributes: readonly Attribute[] }>(
    'GET',
    `/v4/wlm/workitemmodels/${workItemModelId}`,
  );
  const rows = [1, 2, 3, 4, 5].map((row) => attributes.map(({ type }) => valueOf(type, row)).join(','));
  const text = [attributes.map(({ name }) => name).join(','), ...rows].join('\n');
  const file = { name: 'new-items.csv', mimeType: 'text/csv', buffer: Buffer.from(text) };
  await page.locator('input[type=file]').setInputFiles(file);
  for (const step of ['Map', 'Check']) await page.getByRole('button', { name: `Next: ${step}` }).click();
  await page.getByRole('button', { name: /^Put .* in$/ }).waitFor();
}

interface Attribute {
  readonly name: string;
  readonly type: 'TEXT' | 'NUMBER' | 'DATE' | 'BOOLEAN';
}

/** A value that fits, except for the numbers of the third row. */
function valueOf(type: Attribute['type'], row: number): string {
  if (type === 'NUMBER') return row === 3 ? 'much' : String(row * 129.9);
  if (type === 'DATE') return `2026-12-0${row}`;
  return type === 'BOOLEAN' ? 'true' : `N-100${row}`;
}

async function logIn(): Promise<string> {
  const answer = await fetch(`${url}/v2/authentication`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password }),
  });
  return ((await answer.json()) as { token: string }).token;
}

async function ask<Answer>(method: 'GET' | 'POST', to: string, body?: object): Promise<Answer> {
  const headers = { 'content-type': 'application/json', 'x-authorization': token };
  const answer = await fetch(url + to, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  return (await answer.json()) as Answer;
}

/** The item to look at: the newest that failed. */
async function firstFailed(): Promise<string> {
  const filter = { operator: 'eq', field: 'status', value: 'FAILED' };
  const sort = [{ field: 'createdOn', direction: 'desc' }];
  const wanted = { filter, sort };
  const { list } = await ask<{ list: { id: number }[] }>('POST', '/v4/wlm/queues/1/workitems/list', wanted);
  return String(list[0]?.id);
}
