import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import { operations, stringifyJson, type Input, type Operation, type OperationId } from '@millrace/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { requestReader, type RequestReader } from '../contract.ts';
import { Refusal } from '../errors.ts';
import { writeJson } from '../json/write.ts';
import {
  Accepted,
  Download,
  type Client,
  type Identity,
  type VerifyToken,
  type Who,
  type WithCookie,
} from '../operation.ts';
import { readsOnly, type Screen } from '../call.ts';
import type { Perform } from '../perform.ts';
import { Repeated, requestHash, type IdempotencyKey } from '../idempotency.ts';
import type { TakePlace } from '../places.ts';
import { createRateLimits, type CountRequest } from '../rate-limits.ts';
import type { Siblings } from '../siblings.ts';
import { atOnce, inSlices, mapped, type Interruptible } from '../slices.ts';
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
import { serveConsole, servePages } from './console.ts';
import { letGo } from './leaving.ts';
import type { Line } from './line-reader.ts';
import { isOfLines, receiveLines, refuseLines, sendLines, type LinesKey } from './lines.ts';
import { createFramework, hurry, notJson, refuseMethodsBut } from './framework.ts';
import { createEventStreams, type OpenParts, type SendStream } from './streams.ts';
import { createUploads, type ReceiveFile } from './uploads.ts';

/** The HTTP application: reads requests strictly by the contract, has them performed, and writes the answers. */
export async function createHttp(
  config: Config,
  { verifyToken, screen, perform, takePlace, siblings, leaving }: HttpParts,
): Promise<FastifyInstance> {
  const http = createFramework(config);
  await receiveBodies(http, config);
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

/**
 * The only token of a request. Proxies and servers disagree on which of several headers counts: a request with two tokens could pass one as
 * one user and the other as another.
 * @throws Refusal UNAUTHENTICATED when a header is repeated, or when two carry different tokens
 */
function tokenOf({ raw }: FastifyRequest): string | undefined {
  const { authorization = [], 'x-authorization': plain = [] } = raw.headersDistinct;
  if (authorization.length > 1 || plain.length > 1) {
    const name = plain.length > 1 ? 'X-Authorization' : 'Authorization';
    throw new Refusal('UNAUTHENTICATED', `The header ${name} is given more than once. Send it once.`);
  }
  // A proxy may have an Authorization header of another scheme, which carries no token.
  const bearers = authorization.filter((value) => /^Bearer\b/i.test(value));
  const tokens = [...bearers, ...plain].map((value) => value.replace(/^Bearer\b */i, '')).filter(Boolean);
  if (new Set(tokens).size > 1)
    throw new Refusal(
      'UNAUTHENTICATED',
      'The headers Authorization and X-Authorization carry different tokens. Send the token in one of them.',
    );
  return tokens[0];
}

/** Bounded, because the sender's own words are recorded. */
function clientOf({ ip, headers }: FastifyRequest): Client {
  return { address: ip.slice(0, 64), userAgent: headers['user-agent']?.slice(0, 200) };
}

/** The sender as stated by a request, and the function that counts the request once the sender is proved. */
function senderOf(request: FastifyRequest, reply: FastifyReply, countRequest: CountRequest) {
  const count = counting(countRequest, reply);
  return { token: tokenOf(request), client: clientOf(request), log: request.log, count };
}

/**
 * Counts a request once, when its user is proved, and sets the headers with the remaining limit. @throws Refusal for one request too many
 */
function counting(countRequest: CountRequest, reply: FastifyReply): (who: Who) => void {
  let isCounted = false;
  return (who) => {
    if (isCounted) return;
    isCounted = true;
    const { headers, refusal } = countRequest(who);
    reply.headers(headers);
    if (refusal) throw refusal;
  };
}

/** A signal that aborts when a caller leaves before the answer. */
function abortedWhenGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  if (reply.raw.destroyed) controller.abort();
  reply.raw.once('close', () => !reply.raw.writableFinished && controller.abort());
  return controller.signal;
}

/** Sends an answer; a large one in pieces, no faster than its reader takes them. */
async function sendJson(reply: FastifyReply, answer: object): Promise<FastifyReply> {
  const pieces = await inSlices(writeJson(answer));
  reply.type('application/json');
  // A client that has gone reads nothing of it.
  if (pieces.length === 1 || reply.raw.destroyed) return reply.send(pieces[0]);
  const lengths = await inSlices(mapped(pieces, (piece) => Buffer.byteLength(piece)));
  const length = lengths.reduce((sum, one) => sum + one, 0);
  return reply.header('content-length', length).send(Readable.from(pieces));
}

// A reader that takes nothing for this long is cut off.
const stalledMs = 120_000;

/**
 * Sends a file as it comes. It has no length, so that a failure can only show as an end in the middle, which HTTP makes every client
 * notice.
 */
function sendFile(reply: FastifyReply, { mediaType, fileName, bytes }: Download): FastifyReply {
  reply.raw.setTimeout(stalledMs);
  reply.type(mediaType).headers({
    'content-disposition': attached(fileName),
    // A proxy that buffers the answer would fill its disk with it, and show its reader nothing until the end.
    'x-accel-buffering': 'no',
  });
  return reply.send(bytes);
}

/** The header that names a file: in ASCII, which every client reads, and in its own characters. */
function attached(fileName: string): string {
  const plain = fileName.replace(/[^\w .()-]/g, '_');
  const encoded = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

const aKey = /^[\x21-\x7e]{1,255}$/;

/** The caller's key for the call, under which it is done once. @throws Refusal when it is invalid, or the operation keeps none */
async function keyOf(
  { operationId, operation }: Keeping,
  request: FastifyRequest,
  { target, body }: { readonly target: object; readonly body: unknown },
): Promise<IdempotencyKey | undefined> {
  const key = givenKey(operation, request);
  return key === undefined ? undefined : { key, hash: await requestHash(operationId, target, body) };
}

/** The operation of a route. */
interface Keeping {
  readonly operationId: OperationId;
  readonly operation: Operation;
}

function givenKey(operation: Operation, request: FastifyRequest): string | undefined {
  const given = request.raw.headersDistinct['idempotency-key'];
  // A call that only reads may be repeated at will.
  if (given === undefined || readsOnly(operation) || operation.effect === 'none') return undefined;
  // A key that nobody keeps would promise what is not so.
  if (!operation.takesKey)
    throw new Refusal(
      'INVALID_REQUEST',
      'The header Idempotency-Key does not go with this operation. Send it without.',
    );
  const [key = ''] = given;
  if (given.length > 1 || !aKey.test(key))
    throw new Refusal(
      'INVALID_REQUEST',
      'The header Idempotency-Key is one text of 1 to 255 visible characters of ASCII, such as a UUID.',
    );
  return key;
}

/** The name that the caller gives to a call whose body is of lines. @throws Refusal where it is none */
function keyOfLines(
  { operationId, operation }: Keeping,
  request: FastifyRequest,
  target: object,
): LinesKey | undefined {
  const key = givenKey(operation, request);
  if (key === undefined) return undefined;
  return { key, hashOf: (lines) => inSlices(hashOf(stringifyJson([operationId, target]), lines)) };
}

function* hashOf(call: string, lines: readonly Line[]): Interruptible<string> {
  const hash = createHash('sha256').update(call);
  for (const { number, bytes } of lines) {
    hash.update(`\n${number} ${bytes.length} `).update(bytes);
    yield;
  }
  return hash.digest('hex');
}
