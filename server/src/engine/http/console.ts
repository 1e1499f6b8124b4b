import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import files from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { refuseMethodsBut } from './framework.ts';

const reference = folderOf('@millrace/web/reference/index.html');
/** The file of the colours, shared with the console. */
const styles = folderOf('@millrace/web/styles/tokens.css');

/**
 * Headers of pages, in place of those of the API. A page loads from this server alone, runs no inline script or style, and stands in no
 * frame: data of an item can never become a program here.
 */
const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  // The browser keeps pages but asks for them each time, so that a new version of the server shows its own.
  'cache-control': 'no-cache',
};

/** Serves the API reference at /docs, and redirects browsers from / to the console. */
export async function servePages(http: FastifyInstance): Promise<void> {
  await http.register(async (pages) => {
    pages.addHook('onSend', async (_, reply) => {
      reply.headers(pageHeaders).removeHeader('pragma').removeHeader('expires');
    });
    // One route for each file, and none for the rest: an unknown path is the API's 404 for every caller.
    await pages.register(files, {
      root: reference,
      prefix: '/docs/',
      wildcard: false,
      index: false,
      globIgnore: ['index.html', '*.test.ts'],
    });
    pages.get('/docs/tokens.css', (_, reply) => reply.sendFile('tokens.css', styles));
    pages.get('/docs', (_, reply) => reply.sendFile('index.html'));
    pages.get('/docs/', (_, reply) => reply.redirect('../docs'));
  });
  for (const address of ['/docs', '/docs/']) refuseMethodsBut(http, ['GET'], address);
  http.get('/', (request, reply) => {
    const isBrowser = request.headers.accept?.includes('text/html');
    return isBrowser ? reply.header('vary', 'accept').redirect('console/') : reply.callNotFound();
  });
}

function folderOf(file: string): string {
  return path.dirname(fileURLToPath(import.meta.resolve(file)));
}

/**
 * The only style written into the page: one of the component library, always the same. Its digest admits it, and no other; a test in a
 * browser fails when a new version of the library writes another.
 */
const styleOfComponents = "'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='";

const policy = pageHeaders['content-security-policy']
  .replace("style-src 'self'", `style-src 'self' ${styleOfComponents}`)
  .concat("; worker-src 'self'; require-trusted-types-for 'script'; trusted-types millrace");

const consoleHeaders = { ...pageHeaders, 'content-security-policy': policy };

/** Names of built files have a digest of their contents, and so never stand for anything else. */
const immutable = 'public, max-age=31536000, immutable';

const built = path.dirname(fileURLToPath(import.meta.resolve('@millrace/web/dist/index.html')));

const notBuilt = `<!doctype html>
<html lang="en">
  <meta charset="utf-8" />
  <meta name="color-scheme" content="light dark" />
  <title>Millrace</title>
  <h1>The console is not built</h1>
  <p>The server works without it. To build it, run <code>node scripts/ensure-console.mjs</code> in the folder of Millrace, and load
  this page again: no restart is needed. What goes wrong is said there.</p>
  <p>The API reference is at <a href="/docs">/docs</a>.</p>
</html>
`;

/**
 * Serves the console under /console/. Its pages are one file, which finds in the address what to show: a browser gets it for every address
 * that is no file. It is looked up at each request, so that it can be built while the server runs.
 * @param folder the output of the build
 */
export async function serveConsole(http: FastifyInstance, folder = built): Promise<void> {
  await http.register(async (pages) => {
    pages.addHook('onSend', async (request, reply) => {
      const isAsset = request.url.startsWith('/console/assets/') && reply.statusCode < 300;
      reply.headers(consoleHeaders).removeHeader('pragma').removeHeader('expires');
      if (isAsset) reply.header('cache-control', immutable);
    });
    // The build leaves a compressed copy beside each file: nothing is compressed while a browser waits.
    await pages.register(files, {
      root: path.join(folder, 'assets'),
      prefix: '/console/assets/',
      preCompressed: true,
    });
    pages.get('/console', (_, reply) => reply.redirect('console/'));
    pages.get('/console/*', (request, reply) => {
      const isBrowser = request.headers.accept?.includes('text/html');
      return isBrowser ? sendPage(reply, folder) : reply.callNotFound();
    });
  });
  for (const address of ['/console', '/console/*']) refuseMethodsBut(http, ['GET'], address);
}

function sendPage(reply: FastifyReply, folder: string) {
  reply.header('vary', 'accept').type('text/html; charset=utf-8');
  if (!existsSync(path.join(folder, 'index.html'))) return reply.code(503).send(notBuilt);
  return reply.sendFile('index.html', folder);
}
