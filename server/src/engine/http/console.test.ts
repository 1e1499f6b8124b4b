import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { serveConsole } from './console.ts';

const browser = { accept: 'text/html,application/xhtml+xml' };

/** A server with a console of these files. */
async function serving(files: Record<string, string | Buffer>) {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-console-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, 'assets'));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  const http = fastify();
  onTestFinished(() => http.close());
  await serveConsole(http, folder);
  const get = (url: string, headers: Record<string, string> = {}) => http.inject({ url, headers });
  return { get, folder };
}

const built = { 'index.html': '<p>The console</p>', 'assets/a-1.js': 'void 0', 'manifest.json': '{}' };

test('The console is one page at every address below /console/, for browsers', async () => {
  const { get } = await serving(built);
  for (const address of ['/console/', '/console/queues', '/console/queues/7?q=status:NEW']) {
    const page = await get(address, browser);
    expect([page.statusCode, page.body]).toEqual([200, '<p>The console</p>']);
    expect(page.headers['cache-control']).toBe('no-cache');
  }
  const { headers } = await get('/console', browser);
  expect(headers.location).toBe('console/');
});

test.each([
  '/console/queues',
  '/console/assets/b-2.js',
  '/console/assets/../manifest.json',
  '/console/manifest.json',
])('%s is 404 for a program', async (address) => {
  const { get } = await serving(built);
  expect((await get(address, { accept: '*/*' })).statusCode).toBe(404);
});

test('The page may run what this server serves, and makes nothing of text', async () => {
  const { get } = await serving(built);
  const policy = String((await get('/console/', browser)).headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self' 'sha256-");
  expect(policy).toContain("worker-src 'self'; require-trusted-types-for 'script'; trusted-types millrace");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain('unsafe');
});

test('Built files are kept by the browser for good', async () => {
  const { get } = await serving(built);
  const file = await get('/console/assets/a-1.js');
  expect(file.headers).toMatchObject({ 'cache-control': 'public, max-age=31536000, immutable' });
  expect(file.headers['content-security-policy']).toContain("default-src 'none'");
});

test('Built files are sent compressed to whoever takes it, and say that it depends on that', async () => {
  const script = 'void 0;'.repeat(500);
  const { get } = await serving({
    ...built,
    'assets/a-1.js': script,
    'assets/a-1.js.br': brotliCompressSync(script),
    'assets/a-1.js.gz': gzipSync(script),
    'assets/bare-1.css': 'p {}',
  });
  const plain = await get('/console/assets/a-1.js');
  expect([plain.body, plain.headers['content-encoding']]).toEqual([script, undefined]);
  for (const [accepted, encoding, bytes] of [
    ['gzip, deflate, br', 'br', brotliCompressSync(script)],
    ['gzip', 'gzip', gzipSync(script)],
  ] as const) {
    const file = await get('/console/assets/a-1.js', { 'accept-encoding': accepted });
    expect(file.rawPayload).toEqual(bytes);
    expect(file.headers).toMatchObject({ 'content-encoding': encoding, vary: 'accept-encoding' });
    for (const name of ['content-type', 'cache-control', 'content-security-policy', 'vary'])
      expect(file.headers[name], name).toBe(plain.headers[name]);
  }
  expect(plain.headers['cache-control']).toContain('immutable');
  const bare = await get('/console/assets/bare-1.css', { 'accept-encoding': 'br' });
  expect([bare.body, bare.headers['content-encoding']]).toEqual(['p {}', undefined]);
});

test('A console that is not built says how to build it, and is there as soon as it is', async () => {
  const { get, folder } = await serving({});
  const page = await get('/console/', browser);
  expect([page.statusCode, page.body]).toEqual([503, expect.stringContaining('scripts/ensure-console.mjs')]);
  writeFileSync(path.join(folder, 'index.html'), 'now');
  expect((await get('/console/', browser)).body).toBe('now');
});
