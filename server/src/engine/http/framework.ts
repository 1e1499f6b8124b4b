import { randomUUID } from 'node:crypto';
import { maxHeaderSize, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { stringifyJson } from '@millrace/api';
import fastify, {
  LogController,
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Config } from '../config.ts';
import { Refusal, toRefusal, type ErrorCode } from '../errors.ts';

/** Fastify, with answers in the contract's form in place of its own. */
export function createFramework(config: Config): FastifyInstance {
  const http = fastify(optionsOf(config));
  http.setErrorHandler(sendError);
  http.setNotFoundHandler(refuseUnknownPath);
  answerInsteadOfNode(http);
  // Before the body is read, so that no body is read in vain.
  http.addHook('onRequest', (request, _, done) => (request.is404 ? refuseUnknownPath(request) : done()));
  http.addHook('onSend', (_, reply, payload, done) => {
    reply.headers(commonHeaders);
    done(null, payload);
  });
  return http;
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

const strangersBodyMs = 30_000;

/** Closes the connection when the body of a sender without a token takes too long. */
export function hurry({ raw }: FastifyRequest): void {
  const late = setTimeout(() => raw.complete || raw.destroy(), strangersBodyMs).unref();
  raw.once('close', () => clearTimeout(late));
}

/** Reads past the rest of the body, for a while: hanging up on a sender at work would keep the answer from them. */
function readPast(request: FastifyRequest, reply: FastifyReply): void {
  reply.removeHeader('connection');
  hurry(request);
}

/** The members of an error that may be logged: PostgreSQL's `detail` and `where` quote rows, and so data of items. */
export function loggedError(error: Error & { code?: string; constraint?: string; table?: string }) {
  const { name, message, stack = '', code, constraint, table } = error;
  return { type: name, message, stack, code, constraint, table };
}

export function notJson(): Refusal {
  return new Refusal(
    'UNSUPPORTED_MEDIA_TYPE',
    'Send the body as JSON, with the header Content-Type: application/json.',
  );
}

/** The refusal for an error that Fastify raises before an operation is reached. */
function fromFramework(
  error: Error & { code?: string; statusCode?: number },
  request: FastifyRequest,
): Refusal | undefined {
  if (error instanceof Refusal) return error;
  // For the log only: the sender has gone.
  if (request.raw.readableAborted)
    return new Refusal('INVALID_REQUEST', 'The sender left before the body had come to its end.');
  const { code = '', statusCode = 500 } = error;
  if (['FST_FILES_LIMIT', 'FST_PARTS_LIMIT', 'FST_FIELDS_LIMIT'].includes(code))
    return new Refusal('INVALID_REQUEST', 'The form has too many parts. Send one file in a request.');
  if (!code.startsWith('FST_')) return undefined;
  if (statusCode === 415) return notJson();
  if (statusCode >= 500) return undefined;
  return new Refusal(
    'INVALID_REQUEST',
    wordings[code] ?? 'The request cannot be read. Send it as the contract has it.',
  );
}

/** The messages for Fastify's errors, by its codes. */
const wordings: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL:
    'The address has a % that begins no escape of a character in UTF-8. Write %25 for the sign itself.',
  FST_ERR_MAX_PARAM_LENGTH:
    'A part of the address is longer than any name or id in it can be. Look at the address again.',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH:
    'The body is not as long as its header Content-Length says. Send it again.',
};

/** Answers 405 at this address to all other methods. */
export function refuseMethodsBut(http: FastifyInstance, methods: readonly string[], url: string): void {
  // Fastify answers HEAD wherever there is GET.
  const all = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  http.route({
    method: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'].filter(
      (method) => !all.includes(method),
    ),
    url,
    exposeHeadRoute: false,
    onRequest: async (request, reply) => {
      hurry(request);
      reply.header('allow', all.join(', '));
      throw new Refusal('METHOD_NOT_ALLOWED', `This path only knows ${all.join(', ')}.`);
    },
    handler: () => undefined,
  });
}
