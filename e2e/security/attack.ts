import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'vitest';
import type { App, TestUser } from '../../server/src/testing/app.ts';
import type { QueueFixture } from '../../server/src/testing/fixtures.ts';
import type { TestProvider } from '../../server/src/testing/sign-on.ts';

/** The targets of the attacks. */
export interface Place {
  readonly app: App;
  readonly queue: QueueFixture;
  /** The provider by which people sign on. */
  readonly provider: TestProvider;
  /** A user without any role. */
  readonly nobody: TestUser;
  /** A user with AAE_Basic who belongs to no queue. */
  readonly basic: TestUser;
  /** The administrator of another tenant. */
  readonly foreigner: TestUser;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Attack {
  readonly tried: string;
  readonly outcome: string;
  readonly run: (place: Place) => Promise<void>;
}

type Headers = Readonly<Record<string, string | string[]>>;

/** Sends a request exactly as given, without corrections on the way. */
export function send(
  { app }: Place,
  [method, path]: readonly [string, string],
  { headers = {}, body }: { headers?: Headers; body?: string | Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(app.url);
    const call = request({ hostname, port, method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () =>
        resolve({ status: Number(response.statusCode), text, headers: response.headers }),
      );
      response.on('error', reject);
    });
    call.on('error', reject).end(body);
  });
}

/** Sends JSON with the token of the owner of the queue, or another one. */
export function post(place: Place, path: string, body: string | object, token = place.queue.owner.token) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'x-authorization': token };
  return send(place, ['POST', path], { headers, body: text });
}

export function get(
  place: Place,
  path: string,
  headers: Headers = { 'x-authorization': place.queue.owner.token },
) {
  return send(place, ['GET', path], { headers });
}

/** Sends bytes that may be no HTTP, and reads until the server hangs up. */
export function raw({ app }: Place, bytes: string): Promise<Answer> {
  const { hostname, port } = new URL(app.url);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    socket.on('error', reject).on('close', () => {
      const [, status = '0'] = /^HTTP\/1\.1 (\d+)/.exec(text) ?? [];
      resolve({ status: Number(status), text, headers: {} });
    });
  });
}

const internals =
  /node_modules|\bat \w+ \(|\/server\/src|syntax error at|relation "|pg_|password_hash|private_key/i;

/** A refusal with one of these statuses, in the contract's words and without any internals. */
export function refusal(
  tried: string,
  expected: number | readonly number[],
  attack: (place: Place) => Promise<Answer>,
  what = '',
): Attack {
  const statuses = [expected].flat();
  return {
    tried,
    outcome: `${statuses.join(' or ')}${what && `: ${what}`}`,
    run: async (place) => {
      const { status, text } = await attack(place);
      expect(statuses, text.slice(0, 500)).toContain(status);
      expect(text).not.toMatch(internals);
      expect(text).toContain('"code":');
    },
  };
}

/** Something that works, and does no harm. */
export function harmless(tried: string, outcome: string, run: Attack['run']): Attack {
  return { tried, outcome, run };
}

export const queues = '/v4/wlm/queues/list';
export const itemsOf = ({ queue }: Place) => `/v4/wlm/queues/${queue.id}/workitems`;
export const logInPath = '/v2/authentication';
