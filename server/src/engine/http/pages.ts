import path from 'node:path';
import { fileURLToPath } from 'node:url';
import files from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { refuseMethodsBut } from './refusals.ts';

const folder = folderOf('@millrace/web/reference/index.html');
/** The file of the colours, shared with the console. */
const styles = folderOf('@millrace/web/styles/tokens.css');

/**
 * Headers of pages, in place of those of the API. A page loads from this server alone, runs no inline script or style, and stands in no
 * frame: data of an item can never become a program here.
 */
export const pageHeaders = {
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
      root: folder,
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
