import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countingFetch, showBytes, sizeText } from './upload-progress.ts';
import { createWrittenTerminal } from './terminal.fixture.ts';

const echo = createServer((request, response) => {
  void text(request).then((body) => response.end(`${request.headers['content-type'] ?? ''}\n${body}`));
});
let url: string;

beforeAll(async () => {
  await once(echo.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${String((echo.address() as AddressInfo).port)}`;
});
afterAll(() => echo.close());

test('a form is sent as it is, and all its bytes are counted', async () => {
  let sent = 0;
  const form = new FormData();
  form.append('file', new File(['a,b\n'.repeat(50_000)], 'ä.csv'));
  const response = await countingFetch((bytes) => (sent += bytes))(url, { method: 'POST', body: form });
  const [type = '', ...lines] = (await response.text()).split('\n');
  const body = lines.join('\n');
  expect(sent).toBe(Buffer.byteLength(body));
  expect(body).toContain('filename="ä.csv"');
  expect(body.match(/a,b\n/g)).toHaveLength(50_000);
  expect(body).toContain(type.replace('multipart/form-data; boundary=', '--'));
});

test('what is no form is sent without counting', async () => {
  let sent = 0;
  const response = await countingFetch((bytes) => (sent += bytes))(url, { method: 'POST', body: 'x' });
  expect(await response.text()).toContain('x');
  expect(sent).toBe(0);
});

test('where nothing can move, one line says what is sent', () => {
  const { terminal, out, said } = createWrittenTerminal();
  const progress = showBytes(terminal, 'a.csv', 1_234_567);
  progress.begin();
  progress.sent(5);
  progress.end();
  expect(said).toEqual(['Uploading a.csv (1.2 MB) ...']);
  expect(out).toEqual([]);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [3_522_590, '3.5 MB'],
  [5e12, '5000.0 GB'],
])('%i bytes are %s', (bytes, size) => {
  expect(sizeText(bytes)).toBe(size);
});
