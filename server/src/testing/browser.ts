import { request, type IncomingMessage } from 'node:http';
import { operations, type OperationId, type Schemas } from '@millrace/api';

export interface Reply {
  readonly status: number;
  readonly body: Schemas['Error'] & Schemas['Session'] & Schemas['BrowserSession'];
  /** The whole header, as set by the server. */
  readonly setCookie: string | undefined;
  readonly headers: Headers;
}

type Sent = Record<string, string | undefined>;

/** Sends requests like a browser for a page of the server at this URL, with these headers added or, where undefined, left out. */
export function browserAt(url: string) {
  const send = (operationId: OperationId, headers: Sent = {}, body = '{}') => {
    const { path, method } = operations[operationId];
    const { origin } = new URL(url);
    const all = { origin, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json', ...headers };
    const given = Object.entries(all).filter(([, value]) => value !== undefined);
    return new Promise<Reply>((resolve, reject) => {
      const call = request(url + path, { method, headers: Object.fromEntries(given) }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        response.on('end', () => resolve(replyOf(response, text)));
      });
      call.on('error', reject).end(method === 'DELETE' ? undefined : body);
    });
  };
  const open = (token: string, headers: Sent = {}) =>
    send('openSession', { authorization: `Bearer ${token}`, ...headers });
  const exchange = (cookie: string, headers: Sent = {}) => send('exchangeSession', { cookie, ...headers });
  const close = (cookie: string) => send('closeSession', { cookie });
  return { send, open, exchange, close };
}

function replyOf(response: IncomingMessage, text: string): Reply {
  const [setCookie] = response.headers['set-cookie'] ?? [];
  const lines = Object.entries(response.headersDistinct).map(([name, values]) => [name, String(values)]);
  const headers = new Headers(lines);
  return { status: Number(response.statusCode), body: JSON.parse(text || '{}'), setCookie, headers };
}

/** The cookie set by an answer, in the form in which the browser sends it. */
export function cookieIn({ setCookie = '' }: Reply): string {
  return setCookie.split(';')[0] as string;
}
