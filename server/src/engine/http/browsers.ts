import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../errors.ts';
import type { WithCookie } from '../operation.ts';

/**
 * Lets only pages of this server pass. Browsers state the origin of a request in headers that no page can set; a client that is no browser
 * has no cookie that could be abused behind its user's back.
 * @throws Refusal
 */
export function refuseOtherPages(request: FastifyRequest): void {
  const origin = originOf(request);
  if (origin?.host !== ownHost(request, origin)) throw notOurPage(request);
  if (request.headers['sec-fetch-site'] !== 'same-origin') throw notOurPage(request);
  if (!isSafe(origin))
    throw new Refusal(
      'FORBIDDEN',
      `A browser keeps sessions over https only, and over http on the server's own machine (http://localhost). This page came from ${origin.origin}: ` +
        'put a proxy with TLS in front of the server, or log in anew in each tab with POST /v2/authentication.',
    );
}

/** The origin of the page that sent a request, as the browser states it: https if the page came over https, whatever proxies made of it. */
function originOf({ headers: { origin = '' } }: FastifyRequest): URL | undefined {
  return /^https?:\/\/[^/?#@]+$/.test(origin) && URL.canParse(origin) ? new URL(origin) : undefined;
}

/** This server, as addressed by the browser. */
function ownHost({ host }: FastifyRequest, origin: URL | undefined): string | null {
  const url = `${origin?.protocol}//${host}`;
  return origin && URL.canParse(url) ? new URL(url).host : null;
}

function notOurPage({ headers, host }: FastifyRequest): Refusal {
  const { origin = '(none)', 'sec-fetch-site': site = '(none)' } = headers;
  return new Refusal(
    'FORBIDDEN',
    `This is for pages of this server, which was asked as ${host}. The headers say otherwise: Origin is ${origin}, Sec-Fetch-Site is ${site}. ` +
      'A proxy must pass on Host, or be named in MILLRACE_TRUSTED_PROXIES and send X-Forwarded-Host.',
  );
}

function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** The cookie of a session kept by a browser. */
export function cookieOf(request: FastifyRequest): string | undefined {
  const { headers } = request;
  return headers.cookie === undefined ? undefined : parseCookie(headers.cookie)[nameFor(request)];
}

/** Has the browser keep a cookie, or drop it. No script reads it, and no page of another site makes the browser send it. */
export function setCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  cookie: WithCookie<unknown>['cookie'],
): void {
  const { value = '', seconds = 0 } = cookie ?? {};
  const secure = originOf(request)?.protocol === 'https:';
  const rules = {
    path: '/',
    httpOnly: true,
    secure,
    sameSite: 'strict',
    maxAge: Math.floor(seconds),
  } as const;
  reply.header('set-cookie', stringifySetCookie(nameFor(request), value, rules));
}

/**
 * Browsers accept a name with this prefix only from the host itself over https, so that no neighbouring host can plant one. They do not
 * tell ports apart: two servers on one machine would take each other's cookie away.
 */
function nameFor(request: FastifyRequest): string {
  const { protocol, port } = originOf(request) as URL;
  return `${protocol === 'https:' ? '__Host-' : ''}millrace${port && `-${port}`}`;
}
