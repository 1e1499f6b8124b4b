import autocannon from 'autocannon';
import type { Done } from './accounts.ts';

/** The requests of a scenario: one after the other on each connection, each made from the answer before. */
export interface Load {
  readonly connections: number;
  readonly steps: readonly Step[];
  /** Items that one round of the steps moves. */
  readonly items: number;
}

export interface Step {
  /** The same for all connections, or by their numbers. */
  readonly path: string | ((connection: number) => string);
  /** The body, given the last answer on this connection. */
  readonly body: (last: string) => string;
}

/** Thrown by the body of a step when there is nothing left to work on: further requests would measure nothing. */
export class RanDry extends Error {}

/**
 * Runs a load against a server, each connection with a token of its own.
 * @throws Error when an answer is no success: a refusal is quick, and proves nothing.
 */
export async function runLoad(
  url: string,
  tokens: readonly string[],
  load: Load,
  seconds: number,
): Promise<Done> {
  const { connections, steps, items } = load;
  const bodies = new Bodies();
  const requests = requestsOf(steps, tokens, bodies);
  const running = autocannon({ url, connections, duration: seconds, requests });
  bodies.stop = () => (running as unknown as { stop(): void }).stop();
  const { requests: sent, duration, latency, non2xx, errors } = await running;
  if (bodies.failure) throw bodies.failure;
  if (non2xx + errors > 0) throw new Error(`${non2xx} refusals and ${errors} failures`);
  const { p50, p99 } = latency;
  return { requests: sent.total, items: (sent.total / steps.length) * items, seconds: duration, p50, p99 };
}

/** The steps as autocannon takes them. */
function requestsOf(steps: readonly Step[], tokens: readonly string[], bodies: Bodies) {
  let next = 0;
  return steps.map(({ path, body }) => ({
    method: 'POST' as const,
    setupRequest: (request: autocannon.Request, context: Context) => {
      const connection = (context.connection ??= next++);
      const token = tokens[connection % tokens.length] ?? '';
      return {
        ...request,
        path: typeof path === 'string' ? path : path(connection),
        headers: { 'content-type': 'application/json', 'x-authorization': token },
        body: bodies.make(body, context.last ?? ''),
      };
    },
    onResponse: (_: number, answer: string, context: Context) => {
      context.last = answer;
    },
  }));
}

/** autocannon's data of a connection. */
interface Context {
  connection?: number;
  last?: string;
}

/** Makes bodies until one of them cannot be made; then the load stops. */
class Bodies {
  failure: Error | undefined;
  stop: () => void = () => undefined;

  make(body: Step['body'], last: string): string {
    if (this.failure) return '';
    try {
      return body(last);
    } catch (error) {
      this.failure = error as Error;
      this.stop();
      return '';
    }
  }
}
