import type { Socket } from 'node:net';
import { operations, stringifyJson, type Operation } from '@millrace/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Refusal, toRefusal } from '../errors.ts';

/**
 * Strangers send credentials or a token, and that at once. Parsing 16 MB of brackets would keep everybody waiting for seconds, and
 * connections on which a body never ends would one day be all that there can be.
 */
export const strangersBodyBytes = 64 * 1024;
const strangersBodyMs = 30_000;

/** Hangs up when the body of a stranger takes too long. */
export function hurry({ raw }: FastifyRequest): void {
  const late = setTimeout(() => raw.complete || raw.destroy(), strangersBodyMs).unref();
  raw.once('close', () => clearTimeout(late));
}

export const commonHeaders = {
  'cache-control': 'no-cache, no-store, max-age=0, must-revalidate',
  pragma: 'no-cache',
  expires: '0',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  'content-security-policy': "default-src 'self'",
  'referrer-policy': 'no-referrer',
};

/** Answers an error in the contract's form, and logs what is ours to mend. */
export function sendError(error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = fromFramework(error, request) ?? toRefusal(error);
  const { status, code } = refusal;
  const body = refusal.toJSON();
  const facts = { err: error, reqId: request.id };
  if (status === 500) {
    request.log.error(facts, 'a request failed');
    body.message += ` It is in the server's log under ${request.id}.`;
  } else if (status === 503 && refusal !== error) request.log.warn(facts, 'a request could not be served');
  else request.log.debug({ code, reqId: request.id }, refusal.message);
  if (refusal.retryAfter !== undefined) reply.header('retry-after', Math.ceil(refusal.retryAfter));
  // A stranger's body is not read to its end: the connection cannot be used again.
  if (status === 401) reply.headers({ 'www-authenticate': 'Bearer', connection: 'close' });
  return reply.code(status).headers(commonHeaders).type('application/json').send(stringifyJson(body));
}

/** Of an error, what the log may hold: PostgreSQL's `detail` and `where` quote rows, and with them the data of items. */
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

/** Errors that Fastify finds before an operation is reached, in the contract's words. */
function fromFramework(
  error: Error & { code?: string; statusCode?: number },
  { raw, routeOptions }: FastifyRequest,
): Refusal | undefined {
  if (error instanceof Refusal) return error;
  // Nobody is there to read this: it is for the log.
  if (raw.readableAborted)
    return new Refusal('INVALID_REQUEST', 'The sender left before the body had come to its end.');
  const { code = '', statusCode = 500 } = error;
  if (['FST_FILES_LIMIT', 'FST_PARTS_LIMIT', 'FST_FIELDS_LIMIT'].includes(code))
    return new Refusal('INVALID_REQUEST', 'The form has too many parts. Send one file in a request.');
  if (!code.startsWith('FST_')) return undefined;
  if (statusCode === 413) return bodyTooLarge(routeOptions.bodyLimit);
  if (statusCode === 415) return notJson();
  if (statusCode < 500)
    return new Refusal('INVALID_REQUEST', `The request cannot be read: ${error.message}.`);
  return undefined;
}

function bodyTooLarge(limit: number): Refusal {
  const wayOut =
    limit > strangersBodyBytes ? ' Send it in parts, or have MILLRACE_MAX_BODY_BYTES raised.' : '';
  return new Refusal(
    'TOO_LARGE',
    `The body is larger than ${limit} bytes, the most that is read here.${wayOut}`,
  );
}

export function fileTooLarge(limit: number): Refusal {
  return new Refusal(
    'TOO_LARGE',
    `The file is larger than ${limit} bytes. Send it in parts, or have MILLRACE_MAX_FILE_BYTES raised.`,
  );
}

/** A request that is no HTTP never reaches a route; its sender still gets an answer in the contract's form. */
export function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, code, message] = unreadable[error.code ?? ''] ?? [
    '400 Bad Request',
    'INVALID_REQUEST',
    'This is not a readable HTTP request.',
  ];
  const body = JSON.stringify({ code, message });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}

const unreadable: Record<string, readonly [status: string, code: string, message: string]> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'TOO_LARGE',
    'The headers of the request are larger than this server accepts.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    '408 Request Timeout',
    'INVALID_REQUEST',
    'The request did not come to its end in time.',
  ],
};

export function refuseUnknownPath(request: FastifyRequest): never {
  const { method, url } = request;
  hurry(request);
  const path = url.split('?')[0];
  throw new Refusal('NOT_FOUND', `There is no operation ${method} ${path}. GET /openapi.json lists all.`);
}

/** A known path with a method that it does not have is answered 405, with the methods that it has. */
export function refuseOtherMethods(http: FastifyInstance, routeOf: (path: string) => string): void {
  const methodsByPath = new Map<string, string[]>();
  for (const { method, path, also } of Object.values<Operation>(operations)) {
    for (const known of [path, also]) {
      if (known) methodsByPath.set(known, [...(methodsByPath.get(known) ?? []), method]);
    }
  }
  for (const [path, methods] of methodsByPath) refuseMethodsBut(http, methods, routeOf(path));
}

/** Answers 405 at this address to all other methods than these. */
export function refuseMethodsBut(http: FastifyInstance, methods: readonly string[], url: string): void {
  // Where there is GET there is HEAD: Fastify answers it.
  const all = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  http.route({
    method: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'].filter((one) => !all.includes(one)),
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
