import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import multipart from '@fastify/multipart';
import {
  operations,
  parseJson,
  stringifyJson,
  type Input,
  type Operation,
  type OperationId,
} from '@millrace/api';
import fastify, {
  LogController,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyHttpOptions,
} from 'fastify';
import type { Identity, VerifyToken } from './auth/tokens.ts';
import type { Config } from './config.ts';
import { requestReader, type RequestReader } from './contract.ts';
import { Refusal, toRefusal } from './errors.ts';
import { servePages } from './http/pages.ts';
import type { Perform } from './perform.ts';

/** The HTTP application: it reads requests strictly by the contract, has them performed, and writes the answers. */
export async function createHttp(
  config: Config,
  verifyToken: VerifyToken,
  perform: Perform,
): Promise<FastifyInstance> {
  const http = fastify(optionsOf(config));
  http.removeAllContentTypeParsers();
  http.addContentTypeParser('application/json', { parseAs: 'string' }, readJson);
  await http.register(multipart, {
    limits: { files: 1, fileSize: config.maxFileBytes, fields: 10, parts: 11 },
  });
  http.setErrorHandler(sendError);
  http.setNotFoundHandler(refuseUnknownPath);
  http.addHook('onSend', async (_, reply) => void reply.headers(commonHeaders));
  for (const operationId of Object.keys(operations) as OperationId[])
    addRoutes(http, verifyToken, perform, operationId);
  refuseOtherMethods(http);
  await servePages(http);
  return http;
}

function optionsOf(config: Config): FastifyHttpOptions<Server> {
  return {
    bodyLimit: config.maxBodyBytes,
    exposeHeadRoutes: false,
    genReqId: () => randomUUID(),
    logger: {
      level: config.logLevel,
      redact: ['req.headers.authorization', 'req.headers["x-authorization"]'],
    },
    logController: new LogController({ disableRequestLogging: true }),
    frameworkErrors: (error, request, reply) => void sendError(error, request, reply),
    clientErrorHandler,
  };
}

function refuseUnknownPath({ method, url }: FastifyRequest): never {
  const path = url.split('?')[0];
  throw new Refusal('NOT_FOUND', `There is no operation ${method} ${path}. GET /openapi.json lists all.`);
}

const commonHeaders = {
  'cache-control': 'no-cache, no-store, max-age=0, must-revalidate',
  pragma: 'no-cache',
  expires: '0',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  'content-security-policy': "default-src 'self'",
  'referrer-policy': 'no-referrer',
};

function addRoutes(
  http: FastifyInstance,
  verifyToken: VerifyToken,
  perform: Perform,
  operationId: OperationId,
): void {
  const operation: Operation = operations[operationId];
  const reader = requestReader(operationId);
  const identities = new WeakMap<FastifyRequest, Identity>();
  for (const path of [operation.path, operation.also]) {
    if (path) http.route({ method: operation.method, url: routeOf(path), onRequest: prove, handler });
  }

  /** Before the body is read: strangers cannot make the server read, let alone keep, anything. */
  async function prove(request: FastifyRequest): Promise<void> {
    if (operation.permission !== 'public') identities.set(request, await verifyToken(tokenOf(request)));
  }

  async function handler(request: FastifyRequest, reply: FastifyReply) {
    const input = await readInput(operation, reader, request);
    const caller = { token: tokenOf(request), identity: identities.get(request) };
    const signal = abortedWhenGone(reply);
    const output = await perform({ operationId, ...caller, input, log: request.log, signal });
    reply.code(operation.success);
    return output === undefined ? reply.send() : reply.type('application/json').send(stringifyJson(output));
  }
}

function routeOf(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

async function readInput(
  operation: Operation,
  reader: RequestReader,
  request: FastifyRequest,
): Promise<Input> {
  const path = reader.path(request.params as Record<string, string>);
  const query = reader.query(request.query as Record<string, string>);
  const body = operation.body === 'file' ? await readFile(request) : readBody(operation, reader, request);
  return { path, query, body };
}

function readBody(operation: Operation, reader: RequestReader, request: FastifyRequest): unknown {
  if (request.body !== undefined && operation.body === null) return undefined;
  if (request.body === undefined && !operation.bodyRequired) return operation.body === null ? undefined : {};
  if (request.body === undefined)
    throw new Refusal('INVALID_REQUEST', 'This operation needs a body of JSON.');
  reader.body(request.body);
  return request.body;
}

/** The uploaded file lies on disk before a transaction begins: a slow sender holds nothing up. */
async function readFile(request: FastifyRequest): Promise<unknown> {
  if (!request.isMultipart()) {
    throw new Refusal(
      'UNSUPPORTED_MEDIA_TYPE',
      'Send the file as multipart/form-data, in a part named "file".',
    );
  }
  const { files } = await request.saveRequestFiles();
  const [file] = files;
  if (!file)
    throw new Refusal('INVALID_REQUEST', 'There is no file in the request. Send it in a part named "file".');
  return { path: file.filepath, name: file.filename };
}

function readJson(
  _: FastifyRequest,
  text: string,
  done: (error: Error | null, body?: unknown) => void,
): void {
  try {
    done(null, text === '' ? undefined : parseJson(text));
  } catch (error) {
    done(new Refusal('INVALID_REQUEST', `The body cannot be read as JSON: ${(error as Error).message}.`));
  }
}

function tokenOf({ headers }: FastifyRequest): string | undefined {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  const plain = headers['x-authorization'];
  return bearer ?? (typeof plain === 'string' ? plain.replace(/^Bearer +/i, '') : undefined);
}

function abortedWhenGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => !reply.raw.writableFinished && controller.abort());
  return controller.signal;
}

function sendError(error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = fromFramework(error) ?? toRefusal(error);
  const { status, code } = refusal;
  const body = refusal.toJSON();
  if (status === 500) {
    request.log.error({ err: error, reqId: request.id }, 'a request failed');
    body.message += ` It is in the server's log under ${request.id}.`;
  } else request.log.debug({ code, reqId: request.id }, refusal.message);
  if (refusal.retryAfter !== undefined) reply.header('retry-after', Math.ceil(refusal.retryAfter));
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(status).headers(commonHeaders).type('application/json').send(stringifyJson(body));
}

/** Errors that Fastify finds before an operation is reached, in the contract's words. */
function fromFramework(error: Error & { code?: string; statusCode?: number }): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (!error.code?.startsWith('FST_')) return undefined;
  if (error.statusCode === 413)
    return new Refusal('TOO_LARGE', 'The request is larger than this server accepts. Send it in parts.');
  if (error.statusCode === 415 || error.code === 'FST_INVALID_MULTIPART_CONTENT_TYPE') {
    return new Refusal(
      'UNSUPPORTED_MEDIA_TYPE',
      'Send the body as JSON, with the header Content-Type: application/json.',
    );
  }
  if ((error.statusCode ?? 500) < 500)
    return new Refusal('INVALID_REQUEST', `The request cannot be read: ${error.message}.`);
  return undefined;
}

/** A request that is no HTTP never reaches a route; its sender still gets an answer in the contract's form. */
function clientErrorHandler(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const body = JSON.stringify({ code: 'INVALID_REQUEST', message: 'This is not a readable HTTP request.' });
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** A known path with a method that it does not have is answered 405, with the methods that it has. */
function refuseOtherMethods(http: FastifyInstance): void {
  const methodsByPath = new Map<string, string[]>();
  for (const { method, path, also } of Object.values<Operation>(operations)) {
    for (const known of [path, also]) {
      if (known) methodsByPath.set(known, [...(methodsByPath.get(known) ?? []), method]);
    }
  }
  for (const [path, methods] of methodsByPath) {
    const others = (['GET', 'POST', 'PUT', 'DELETE', 'PATCH'] as const).filter(
      (method) => !methods.includes(method),
    );
    http.route({
      method: others,
      url: routeOf(path),
      onRequest: async (_, reply) => {
        reply.header('allow', methods.join(', '));
        throw new Refusal('METHOD_NOT_ALLOWED', `This path only knows ${methods.join(' and ')}.`);
      },
      handler: () => undefined,
    });
  }
}
