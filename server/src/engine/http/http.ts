import { randomUUID } from 'node:crypto';
import { maxHeaderSize, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import multipart from '@fastify/multipart';
import { operations, stringifyJson, type Input, type Operation, type OperationId } from '@millrace/api';
import fastify, {
  LogController,
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Config } from '../config.ts';
import { requestReader, type RequestReader } from '../contract.ts';
import { Refusal, toRefusal, type ErrorCode } from '../errors.ts';
import { Accepted, Download, type Identity, type VerifyToken, type WithCookie } from '../operation.ts';
import type { Screen } from '../call.ts';
import type { Perform } from '../perform.ts';
import { Repeated, type IdempotencyKey } from '../idempotency.ts';
import type { TakePlace } from '../places.ts';
import { createRateLimits, type CountRequest } from '../rate-limits.ts';
import type { Siblings } from '../siblings.ts';
import { atOnce, inSlices } from '../slices.ts';
import { sendFile, sendJson } from './answers.ts';
import { cookieOf, refuseOtherPages, setCookie } from './browsers.ts';
import {
  bodyLimitOf,
  isShort,
  isWorthAsking,
  lengthOf,
  receiveJson,
  refuseLongFile,
  refuseOtherKinds,
} from './bodies.ts';
import { abortedWhenGone, counting, senderOf, tokenOf } from './callers.ts';
import { serveConsole, servePages } from './console.ts';
import { keyOf, keyOfLines } from './key.ts';
import { letGo } from './leaving.ts';
import { isOfLines, receiveLines, refuseLines, sendLines } from './lines.ts';
import { fromFramework, hurry, loggedError, notJson, readPast, refuseMethodsBut } from './refusals.ts';
import { createEventStreams, type OpenParts, type SendStream } from './streams.ts';
import { createUploads, type ReceiveFile } from './uploads.ts';

/** The HTTP application: reads requests strictly by the contract, has them performed, and writes the answers. */
export async function createHttp(
  config: Config,
  { verifyToken, screen, perform, takePlace, siblings, leaving }: HttpParts,
): Promise<FastifyInstance> {
  const http = fastify(optionsOf(config));
  await receiveBodies(http, config);
  http.setErrorHandler(sendError);
  http.setNotFoundHandler(refuseUnknownPath);
  answerInsteadOfNode(http);
  // Before the body is read, so that no body is read in vain.
  http.addHook('onRequest', (request, _, done) => (request.is404 ? refuseUnknownPath(request) : done()));
  http.addHook('onSend', (_, reply, payload, done) => {
    reply.headers(commonHeaders);
    done(null, payload);
  });
  letGo(http, { leaving, hasSiblings: siblings !== undefined });
  const { maxStreams, maxBodyBytes, maxFileBytes } = config;
  const doors = {
    ...{ verifyToken, screen, perform, takePlace, maxBodyBytes, maxFileBytes },
    countRequest: createRateLimits(config, { siblings }),
    sendStream: createEventStreams(http, maxStreams, { takePlace, leaving }),
    receiveFile: await createUploads(http, config, takePlace),
  };
  for (const operationId of Object.keys(operations) as OperationId[]) addRoutes(http, doors, operationId);
  refuseOtherMethods(http);
  await servePages(http);
  await serveConsole(http);
  return http;
}

async function receiveBodies(http: FastifyInstance, { maxFileBytes }: Config): Promise<void> {
  http.removeAllContentTypeParsers();
  http.addContentTypeParser('application/json', receiveJson);
  http.addContentTypeParser(/^application\/(x-)?ndjson\b/, receiveLines);
  await http.register(multipart, { limits: { files: 1, fileSize: maxFileBytes, fields: 10, parts: 11 } });
}

const requestTimeoutMs = 60 * 60 * 1000;

function optionsOf(config: Config): FastifyHttpOptions<Server> {
  return {
    bodyLimit: config.maxBodyBytes,
    trustProxy: config.trustedProxies.length > 0 && [...config.trustedProxies],
    // Limits the time to receive a request, not to answer it: enough for the largest file over a slow line.
    requestTimeout: requestTimeoutMs,
    genReqId: () => randomUUID(),
    logger: {
      level: config.logLevel,
      redact: ['req.headers.authorization', 'req.headers["x-authorization"]', 'req.headers.cookie'],
      serializers: { err: loggedError },
    },
    logController: new LogController({ disableRequestLogging: true }),
    frameworkErrors: (error, request, reply) => void sendError(error, request, reply),
    // Requests that these options would refuse are refused in the contract's form instead, with the headers of every answer: see
    // refuseUnservable.
    return503OnClosing: false,
    http: { requireHostHeader: false },
    clientErrorHandler: answerUnreadable,
  };
}

interface HttpParts extends Pick<Doors, 'verifyToken' | 'screen' | 'perform' | 'takePlace'> {
  readonly siblings: Siblings | undefined;
  /** Aborts when this process leaves its connections to others. */
  readonly leaving: AbortSignal;
}

interface Doors {
  readonly verifyToken: VerifyToken;
  readonly countRequest: CountRequest;
  readonly screen: Screen;
  readonly perform: Perform;
  readonly takePlace: TakePlace;
  readonly sendStream: SendStream;
  readonly receiveFile: ReceiveFile;
  readonly maxBodyBytes: number;
  readonly maxFileBytes: number;
}

/** An operation, with the means to read its HTTP requests. */
interface Route {
  readonly operationId: OperationId;
  readonly operation: Operation;
  readonly reader: RequestReader;
}

function addRoutes(http: FastifyInstance, doors: Doors, operationId: OperationId): void {
  const operation: Operation = operations[operationId];
  const { method } = operation;
  const route = { operationId, operation, reader: requestReader(operationId) };
  const identities = new WeakMap<FastifyRequest, Identity>();
  const bodyLimit = bodyLimitOf(operation, doors.maxBodyBytes);
  for (const path of [operation.path, operation.also]) {
    if (path) http.route({ method, url: routeOf(path), bodyLimit, onRequest: prove, handler });
  }

  async function prove(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (operation.permission === 'public') hurry(request);
    else identities.set(request, await callerOf(route, doors, request, reply));
    refuseOtherKinds(operation, request);
    if (operation.browser) refuseOtherPages(request);
    refuseLines(operation, request);
  }

  function handler(request: FastifyRequest, reply: FastifyReply) {
    return handle({ ...route, doors, identity: identities.get(request) }, request, reply);
  }
}

/** Proves the caller before the body is read: a sender who may not call the operation cannot make the server read or keep a large body. */
async function callerOf(
  { operationId, operation, reader }: Route,
  { verifyToken, countRequest, screen, maxFileBytes }: Doors,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Identity> {
  try {
    const identity = await verifyToken(tokenOf(request), request.raw.socket);
    counting(countRequest, reply)(identity);
    if (!isWorthAsking(operation, request)) return identity;
    await screen({ operationId, identity, path: reader.path(request.params as Record<string, string>) });
    refuseLongFile(operation, request, maxFileBytes);
    return identity;
  } catch (error) {
    hurry(request);
    throw error;
  }
}

/** A route, and its caller. */
interface RouteCall extends Route {
  readonly doors: Doors;
  readonly identity: Identity | undefined;
}

async function handle(
  { operationId, operation, reader, doors, identity }: RouteCall,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const target = readTarget(operation, reader, request);
  const cookie = operation.browser ? cookieOf(request) : undefined;
  const caller = { ...senderOf(request, reply, doors.countRequest), cookie, identity };
  const performed = (
    body: unknown,
    bodyBytes: number,
    signal: () => AbortSignal,
    idempotency?: IdempotencyKey,
  ) => doors.perform({ operationId, ...caller, bodyBytes, input: { ...target, body }, signal, idempotency });
  if (operation.lines !== null && identity && isOfLines(request)) {
    const key = keyOfLines({ operationId, operation }, request, target);
    const signal = abortedWhenGone(reply);
    const perform = (body: object, own?: IdempotencyKey) => performed(body, 0, () => signal, own);
    return sendLines(request, reply, identity, { ...doors, list: operation.lines, reader, perform, key });
  }
  const body =
    operation.body === 'file' && identity
      ? await doors.receiveFile(request, reply, identity)
      : await readBody(operation, reader, request);
  const idempotency = await keyOf({ operationId, operation }, request, { target, body });
  const call = (signal: () => AbortSignal) => performed(body, lengthOf(request), signal, idempotency);
  if (operation.effect === 'stream' && identity)
    return doors.sendStream(reply, identity, ((signal) => call(() => signal)) as OpenParts);
  return sendOutcome(operation, request, reply, await call(() => abortedWhenGone(reply)));
}

function sendOutcome(operation: Operation, request: FastifyRequest, reply: FastifyReply, outcome: unknown) {
  if (outcome instanceof Download) return sendFile(reply, outcome);
  if (outcome instanceof Accepted) return sendJson(reply.code(202), outcome.answer as object);
  if (outcome instanceof Repeated) {
    reply.header('idempotency-replayed', 'true');
    return sendOutcome(operation, request, reply, outcome.answer);
  }
  const output = operation.browser ? answerOf(request, reply, outcome) : outcome;
  reply.code(operation.success);
  return output === undefined ? reply.send() : sendJson(reply, output as object);
}

/** The answer to a page of this server, with the cookie that its browser is given. */
function answerOf(request: FastifyRequest, reply: FastifyReply, outcome: unknown): unknown {
  const { answer, cookie } = outcome as WithCookie<unknown>;
  setCookie(request, reply, cookie);
  return answer;
}

function routeOf(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

/** The parameters of the path and of the query. */
function readTarget(operation: Operation, reader: RequestReader, request: FastifyRequest) {
  const path = reader.path(request.params as Record<string, string>);
  const query = reader.query(resumed(operation, request));
  return { path, query } as Pick<Input, 'path' | 'query'>;
}

/** The query; when a reader resumes a stream, the place in the header replaces the one in the query. */
function resumed({ effect }: Operation, { headers, query }: FastifyRequest): Record<string, string> {
  const { last, ...rest } = query as Record<string, string>;
  const after = headers['last-event-id'];
  if (effect === 'stream' && typeof after === 'string') return { ...rest, after };
  return last === undefined ? rest : { ...rest, last };
}

async function readBody(
  operation: Operation,
  reader: RequestReader,
  request: FastifyRequest,
): Promise<unknown> {
  if (request.body !== undefined && operation.body === null) return undefined;
  if (request.isMultipart()) throw notJson();
  if (request.body === undefined && !operation.bodyRequired) return operation.body === null ? undefined : {};
  if (request.body === undefined)
    throw new Refusal('INVALID_REQUEST', 'This operation needs a body of JSON.');
  const check = reader.body(request.body);
  if (isShort(request)) atOnce(check);
  else await inSlices(check);
  return request.body;
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

/** Answers an error in the contract's form, and logs it when it is the server's own fault. */
function sendError(error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = fromFramework(error, request) ?? toRefusal(error);
  const { status, code } = refusal;
  const body = refusal.toJSON();
  const facts = { err: error };
  if (status === 500) {
    request.log.error(facts, 'a request failed');
    body.message += ` It is in the server's log under ${request.id}.`;
  } else if (status === 503 && refusal !== error) request.log.warn(facts, 'a request could not be served');
  // Without its message, which quotes the request.
  else request.log.debug({ code }, 'a request was refused');
  if (refusal.retryAfter !== undefined) reply.header('retry-after', Math.ceil(refusal.retryAfter));
  // A stranger's body is not read to its end, so that the connection cannot be used again.
  if (status === 401) reply.headers({ 'www-authenticate': 'Bearer', connection: 'close' });
  else if (status === 413) readPast(request, reply);
  return reply.code(status).headers(commonHeaders).type('application/json').send(stringifyJson(body));
}

/** Answers in place of Node and Fastify, whose own answers have neither the contract's form nor the headers of every answer. */
function answerInsteadOfNode(http: FastifyInstance): void {
  const { server } = http;
  server.on('request', ({ socket }: IncomingMessage, answer: ServerResponse) =>
    answersOn.set(socket, [...unfinishedOn(socket), answer]),
  );
  // A server may ignore an unknown expectation; Node would refuse it with an empty answer.
  server.on('checkExpectation', (request: IncomingMessage, answer: ServerResponse) =>
    server.emit('request', request, answer),
  );
  refuseUnservable(http);
}

/** The possibly unfinished answers on each connection. */
const answersOn = new WeakMap<Socket, ServerResponse[]>();

function unfinishedOn(socket: Socket): ServerResponse[] {
  return answersOn.get(socket)?.filter(({ writableFinished }) => !writableFinished) ?? [];
}

/** Refuses requests that come while the server stops, and those without exactly one Host header. */
function refuseUnservable(http: FastifyInstance): void {
  let isStopping = false;
  http.addHook('preClose', async () => void (isStopping = true));
  http.addHook('onRequest', ({ raw: { headersDistinct, httpVersion } }, reply, done) => {
    const { host = [] } = headersDistinct;
    if (!isStopping && (host.length === 1 || (host.length === 0 && httpVersion === '1.0'))) return done();
    // The body is not read to its end.
    reply.header('connection', 'close');
    if (isStopping)
      throw new Refusal('UNAVAILABLE', 'The server is stopping. Try again shortly, or at another server.', {
        retryAfter: 5,
      });
    const hosts = host.length === 0 ? 'no header Host' : 'more than one header Host';
    throw new Refusal(
      'INVALID_REQUEST',
      `The request has ${hosts}. Say there, once, which server it is for.`,
    );
  });
}

type ParserError = Error & { readonly code?: string };

/** A message that is no HTTP never reaches a route; its sender still gets an answer in the contract's form. */
function answerUnreadable({ code: cause = '' }: ParserError, socket: Socket): void {
  // In the middle of another answer, this one would be read as part of it.
  const isAnswering = unfinishedOn(socket).some(({ headersSent }) => headersSent);
  if (cause === 'ECONNRESET' || !socket.writable || isAnswering) return void socket.destroy();
  const [status, code, message] = unreadable[cause] ?? noHttp;
  const body = JSON.stringify({ code, message });
  const headers = {
    ...commonHeaders,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`);
}

type Unreadable = readonly [status: string, code: ErrorCode, message: string];

const noHttp: Unreadable = ['400 Bad Request', 'INVALID_REQUEST', 'This is not a readable HTTP request.'];

const unreadable: Record<string, Unreadable> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'TOO_LARGE',
    `The address and the headers of the request have more than ${maxHeaderSize} bytes together. Send fewer or shorter ones.`,
  ],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [
    '413 Payload Too Large',
    'TOO_LARGE',
    'The chunk extensions of the body are larger than this server accepts. Send the body without them.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    '408 Request Timeout',
    'INVALID_REQUEST',
    'The request did not come to its end in time. Send it again, over a faster line or in parts.',
  ],
};

const longestPath = 200;

function refuseUnknownPath(request: FastifyRequest): never {
  const { method, url } = request;
  hurry(request);
  const [path = ''] = url.split('?');
  const shown = path.length > longestPath ? `${path.slice(0, longestPath)}…` : path;
  throw new Refusal('NOT_FOUND', `There is no operation ${method} ${shown}. GET /openapi.json lists all.`);
}

/** Answers 405 to other methods on a known path, with the methods that it has. */
function refuseOtherMethods(http: FastifyInstance): void {
  const methodsByPath = new Map<string, string[]>();
  for (const { method, path, also } of Object.values<Operation>(operations)) {
    for (const known of [path, also]) {
      if (known) methodsByPath.set(known, [...(methodsByPath.get(known) ?? []), method]);
    }
  }
  for (const [path, methods] of methodsByPath) refuseMethodsBut(http, methods, routeOf(path));
}
