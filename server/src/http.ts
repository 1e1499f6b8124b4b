import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
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
import { Refusal } from './errors.ts';
import { servePages } from './http/pages.ts';
import {
  answerUnreadable,
  commonHeaders,
  fileTooLarge,
  hurry,
  loggedError,
  notJson,
  refuseOtherMethods,
  refuseUnknownPath,
  sendError,
  strangersBodyBytes,
} from './http/refusals.ts';
import { createEventStreams, type OpenParts, type SendStream } from './http/streams.ts';
import type { Perform } from './perform.ts';

/** The HTTP application: it reads requests strictly by the contract, has them performed, and writes the answers. */
export async function createHttp(
  config: Config,
  verifyToken: VerifyToken,
  perform: Perform,
): Promise<FastifyInstance> {
  const http = fastify(optionsOf(config));
  http.removeAllContentTypeParsers();
  http.addContentTypeParser('application/json', { parseAs: 'buffer' }, readJson);
  await http.register(multipart, {
    limits: { files: 1, fileSize: config.maxFileBytes, fields: 10, parts: 11 },
  });
  http.setErrorHandler(sendError);
  http.setNotFoundHandler(refuseUnknownPath);
  // Here already, so that nobody's body is read for nothing.
  http.addHook('onRequest', (request, _, done) => (request.is404 ? refuseUnknownPath(request) : done()));
  http.addHook('onSend', async (_, reply) => void reply.headers(commonHeaders));
  const { maxStreams, maxFileBytes } = config;
  const doors = { verifyToken, perform, sendStream: createEventStreams(http, maxStreams), maxFileBytes };
  for (const operationId of Object.keys(operations) as OperationId[]) addRoutes(http, doors, operationId);
  refuseOtherMethods(http, routeOf);
  await servePages(http);
  return http;
}

const requestTimeoutMs = 60 * 60 * 1000;

function optionsOf(config: Config): FastifyHttpOptions<Server> {
  return {
    bodyLimit: config.maxBodyBytes,
    // For requests to come in, not to be answered: the largest file over a slow line. Nobody sends for ever.
    requestTimeout: requestTimeoutMs,
    genReqId: () => randomUUID(),
    logger: {
      level: config.logLevel,
      redact: ['req.headers.authorization', 'req.headers["x-authorization"]'],
      serializers: { err: loggedError },
    },
    logController: new LogController({ disableRequestLogging: true }),
    frameworkErrors: (error, request, reply) => void sendError(error, request, reply),
    clientErrorHandler: answerUnreadable,
  };
}

interface Doors {
  readonly verifyToken: VerifyToken;
  readonly perform: Perform;
  readonly sendStream: SendStream;
  readonly maxFileBytes: number;
}

function addRoutes(http: FastifyInstance, doors: Doors, operationId: OperationId): void {
  const { verifyToken, perform, sendStream } = doors;
  const operation: Operation = operations[operationId];
  const reader = requestReader(operationId);
  const identities = new WeakMap<FastifyRequest, Identity>();
  const { bodyLimit: anyBody = strangersBodyBytes } = http.initialConfig;
  const bodyLimit = operation.permission === 'public' ? Math.min(anyBody, strangersBodyBytes) : anyBody;
  for (const path of [operation.path, operation.also]) {
    if (path)
      http.route({ method: operation.method, url: routeOf(path), bodyLimit, onRequest: prove, handler });
  }

  /** Before the body is read: strangers cannot make the server read, let alone keep, anything. */
  async function prove(request: FastifyRequest): Promise<void> {
    if (operation.permission === 'public') hurry(request);
    else identities.set(request, await verifyToken(tokenOf(request)));
  }

  async function handler(request: FastifyRequest, reply: FastifyReply) {
    const input = await readInput(operation, reader, request, doors.maxFileBytes);
    const identity = identities.get(request);
    const caller = { token: tokenOf(request), identity };
    const call = (signal: AbortSignal) =>
      perform({ operationId, ...caller, input, log: request.log, signal });
    if (operation.effect === 'stream' && identity) return sendStream(reply, identity, call as OpenParts);
    const output = await call(abortedWhenGone(reply));
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
  maxFileBytes: number,
): Promise<Input> {
  const path = reader.path(request.params as Record<string, string>);
  const query = reader.query({
    ...(request.query as Record<string, string>),
    ...resumed(operation, request),
  });
  const body =
    operation.body === 'file' ? await readFile(request, maxFileBytes) : readBody(operation, reader, request);
  return { path, query, body };
}

/** A stream that its reader resumes goes on where the header says, whatever it began with. */
function resumed({ effect }: Operation, { headers }: FastifyRequest) {
  const after = headers['last-event-id'];
  return effect === 'stream' && typeof after === 'string' ? { after, last: undefined } : {};
}

function readBody(operation: Operation, reader: RequestReader, request: FastifyRequest): unknown {
  if (request.body !== undefined && operation.body === null) return undefined;
  if (request.isMultipart()) throw notJson();
  if (request.body === undefined && !operation.bodyRequired) return operation.body === null ? undefined : {};
  if (request.body === undefined)
    throw new Refusal('INVALID_REQUEST', 'This operation needs a body of JSON.');
  reader.body(request.body);
  return request.body;
}

/** The uploaded file lies on disk before a transaction begins: a slow sender holds nothing up. */
async function readFile(request: FastifyRequest, maxFileBytes: number): Promise<unknown> {
  if (!request.isMultipart()) {
    throw new Refusal(
      'UNSUPPORTED_MEDIA_TYPE',
      'Send the file as multipart/form-data, in a part named "file".',
    );
  }
  const { files } = await request.saveRequestFiles().catch((error: FormError) => {
    throw error.code === 'FST_REQ_FILE_TOO_LARGE' ? fileTooLarge(maxFileBytes) : unreadableForm(error);
  });
  const [file] = files;
  if (!file)
    throw new Refusal('INVALID_REQUEST', 'There is no file in the request. Send it in a part named "file".');
  return { path: file.filepath, name: file.filename };
}

type FormError = Error & { code?: string };

/** What the reader of forms complains about has no code; what else goes wrong, such as a full disk, has one. */
function unreadableForm(error: FormError): Error {
  if (error.code !== undefined) return error;
  return new Refusal('INVALID_REQUEST', `The form cannot be read: ${error.message}.`);
}

function readJson(
  _: FastifyRequest,
  bytes: Buffer,
  done: (error: Error | null, body?: unknown) => void,
): void {
  try {
    // Decoding would put another character in the place of each byte that is none, and nobody would notice.
    if (!isUtf8(bytes)) throw new SyntaxError('it is not in UTF-8');
    done(null, bytes.length === 0 ? undefined : parseJson(bytes.toString()));
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
