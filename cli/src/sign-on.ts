import { on, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Client, Schemas } from '@millrace/api';
import { UsageError } from './errors.ts';

interface SignOnOptions {
  readonly provider: string;
  /** The port at 127.0.0.1 to which the browser comes back. */
  readonly port: number;
  /** Shows the address that the person has to open. */
  readonly show: (address: string) => void;
}

/**
 * Signs on by a provider, in a browser on this machine, which comes back to a port on which this listens until then.
 * @throws UsageError when the port is taken, or nobody has come back in ten minutes
 */
export async function signOn(
  client: Client,
  { provider, port, show }: SignOnOptions,
): Promise<Schemas['Session']> {
  const server = await listen(port);
  try {
    const { url, secret } = await client.beginSignOn({ body: { provider, port } });
    show(url);
    const { answer, tell } = await cameBack(server, new URL(url).searchParams.get('state'));
    const finished = client.finishSignOn({ body: { secret, ...answer } }, { timeoutSeconds: 60 });
    await finished.then(
      () => tell('You are logged in. Go back to the terminal; this page can be closed.'),
      () => tell('You are not logged in. The terminal says why; this page can be closed.'),
    );
    return await finished;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer();
  await once(server.listen(port, '127.0.0.1'), 'listening').catch((error: NodeJS.ErrnoException) => {
    const taken = `Port ${port} of 127.0.0.1 is taken. Choose another one with --port, which the provider must allow as well.`;
    throw error.code === 'EADDRINUSE' ? new UsageError(taken) : error;
  });
  return server;
}

const patienceMs = 600_000;

type Answer = Omit<Schemas['SignOnAnswer'], 'secret'>;

interface CameBack {
  readonly answer: Answer;
  /** Shows the result to the person in the browser. */
  readonly tell: (text: string) => Promise<void>;
}

/**
 * Waits for the browser that was sent with this state. All other requests at this port, such as from a page of another site, are turned
 * away.
 */
async function cameBack(server: Server, sent: string | null): Promise<CameBack> {
  const requests = on(server, 'request', { signal: AbortSignal.timeout(patienceMs) });
  try {
    for await (const [request, response] of requests as AsyncIterable<[IncomingMessage, ServerResponse]>) {
      const { pathname, searchParams } = new URL(`http://127.0.0.1${request.url ?? ''}`);
      const { state, code, iss, error } = Object.fromEntries(searchParams);
      if (request.method === 'GET' && pathname === '/' && state !== undefined && state === sent) {
        const given = Object.entries({ code, iss, error }).filter(([, value]) => value !== undefined);
        return {
          answer: { state, ...Object.fromEntries(given) },
          tell: (text) => answerWith(response, text),
        };
      }
      response.writeHead(404).end();
    }
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  }
  throw new UsageError('Nobody came back from the provider in ten minutes. Try again.');
}

function answerWith(response: ServerResponse, text: string): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  return new Promise((resolve) => void response.end(`${text}\n`, () => resolve()));
}
