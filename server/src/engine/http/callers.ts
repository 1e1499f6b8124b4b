import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../errors.ts';
import type { Client, Who } from '../operation.ts';
import type { CountRequest } from '../rate-limits.ts';

/**
 * The only token of a request. Proxies and servers disagree on which of several headers counts: a request with two tokens could pass one as
 * one user and the other as another.
 * @throws Refusal UNAUTHENTICATED when a header is repeated, or when two carry different tokens
 */
export function tokenOf({ raw }: FastifyRequest): string | undefined {
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
export function senderOf(request: FastifyRequest, reply: FastifyReply, countRequest: CountRequest) {
  const count = counting(countRequest, reply);
  return { token: tokenOf(request), client: clientOf(request), log: request.log, count };
}

/**
 * Counts a request once, when its user is proved, and sets the headers with the remaining limit. @throws Refusal for one request too many
 */
export function counting(countRequest: CountRequest, reply: FastifyReply): (who: Who) => void {
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
export function abortedWhenGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  if (reply.raw.destroyed) controller.abort();
  reply.raw.once('close', () => !reply.raw.writableFinished && controller.abort());
  return controller.signal;
}
