import { beforeAll, describe, expect, test } from 'vitest';
import { startApp } from '../../testing/app.ts';

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

let url = '';
beforeAll(async () => {
  ({ url } = await startApp());
});

function get(path: string, headers: Record<string, string> = {}) {
  return fetch(`${url}${path}`, { headers, redirect: 'manual' });
}

/** The addresses in a file of the page, as seen from the page. */
function addressesIn(file: string, text: string): string[] {
  if (file.endsWith('.js'))
    return [...text.matchAll(/from '\.\/([^']+)'/g)].map(([, name]) => `/docs/${name}`);
  return [...text.matchAll(/(?:href|src)="([^"#]+)"|url\(([^)]+)\)/g)].map(
    ([, one, other]) => `/${one ?? other}`,
  );
}

/** All files that the page loads, directly or through one another. */
async function load(file: string, loaded = new Map<string, Response>()): Promise<Map<string, Response>> {
  const response = await get(file);
  loaded.set(file, response);
  const named = addressesIn(file, await response.clone().text());
  for (const name of named) if (!loaded.has(name)) await load(name, loaded);
  return loaded;
}

describe('the API reference', () => {
  test('is a page that may load from this server alone', async () => {
    const page = await get('/docs', browser);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    const policy = page.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(await page.text()).not.toMatch(/<style|<script>|\son\w+=|\sstyle=/);
  });

  test('has all its files here, each with its type and the headers of a page', async () => {
    const loaded = await load('/docs');
    const types = [...loaded].map(([file, { status, headers }]) => [
      file,
      status,
      headers.get('content-type'),
    ]);
    expect(types.filter(([, status]) => status !== 200)).toEqual([]);
    expect(types).toContainEqual(['/docs/main.js', 200, 'application/javascript; charset=utf-8']);
    expect(types).toContainEqual(['/docs/json.js', 200, 'application/javascript; charset=utf-8']);
    expect(types).toContainEqual(['/docs/page.css', 200, 'text/css; charset=utf-8']);
    expect(types).toContainEqual(['/docs/logo.svg', 200, 'image/svg+xml']);
    const pages = [...loaded].filter(([file]) => file.startsWith('/docs'));
    for (const [file, { headers }] of pages)
      expect(headers.get('content-security-policy'), file).toContain("default-src 'none'");
  });

  test('names no other host', async () => {
    const loaded = await load('/docs');
    loaded.delete('/openapi.json');
    const texts = await Promise.all([...loaded.values()].map((response) => response.text()));
    const hosts = texts.flatMap((text) => text.match(/(?:https?:)?\/\/[a-z0-9][\w.-]*\.[\w.:-]+/gi) ?? []);
    expect(new Set(hosts)).toEqual(new Set(['http://127.0.0.1:8080', 'http://www.w3.org']));
  });

  test('is asked for again each time, and answered without a body while it has not changed', async () => {
    const first = await get('/docs/main.js');
    expect(first.headers.get('cache-control')).toBe('no-cache');
    expect(first.headers.get('pragma')).toBeNull();
    const again = await get('/docs/main.js', {
      'if-none-match': first.headers.get('etag') ?? '',
      // Otherwise fetch asks for the whole file, whatever it has cached.
      'cache-control': 'max-age=0',
    });
    expect(again.status).toBe(304);
  });

  test('is found with a slash behind it', async () => {
    const { status, headers } = await get('/docs/', browser);
    expect(status).toBe(302);
    expect(new URL(headers.get('location') ?? '', `${url}/docs/`).pathname).toBe('/docs');
  });
});

describe('the root', () => {
  test('leads a browser to the console', async () => {
    const { status, headers } = await get('/', browser);
    expect(status).toBe(302);
    expect(headers.get('vary')).toBe('accept');
    expect(new URL(headers.get('location') ?? '', `${url}/`).pathname).toBe('/console/');
  });

  test('is no operation to a program', async () => {
    const response = await get('/', { accept: '*/*' });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a path that is not known', () => {
  test.each([
    '/v1/nothing',
    '/v2/authentication/nothing',
    '/v3/wlm/queues',
    '/v4/wlm/queues/1/nothing',
    '/docs/nothing.js',
    '/docs/pages.test.ts',
    '/docs/../package.json',
    '/docs/%2e%2e/package.json',
    '/index.html',
  ])('%s is 404 in JSON, also for a browser', async (path) => {
    const response = await get(path, browser);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await response.json()).toMatchObject({ code: 'NOT_FOUND' });
  });
});
