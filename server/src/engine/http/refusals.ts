import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../errors.ts';

const strangersBodyMs = 30_000;

/** Closes the connection when the body of a sender without a token takes too long. */
export function hurry({ raw }: FastifyRequest): void {
  const late = setTimeout(() => raw.complete || raw.destroy(), strangersBodyMs).unref();
  raw.once('close', () => clearTimeout(late));
}

/** Reads past the rest of the body, for a while: hanging up on a sender at work would keep the answer from them. */
export function readPast(request: FastifyRequest, reply: FastifyReply): void {
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
export function fromFramework(
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
