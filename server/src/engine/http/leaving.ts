import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

// Connections are distributed to the processes of a server in turn, and stay there: without an end, a process that starts later would get
// few. They end at different times, or all callers of a busy moment would come again at once.
const shortestMs = 4 * 60_000;
const longestMs = 6 * 60_000;

interface Going {
  readonly leaving: AbortSignal;
  readonly hasSiblings: boolean;
}

/**
 * Marks answers as the last of their connection while this process leaves it to others, and on connections that have lasted long. A server
 * that closes a connection on its own may break a request that is under way just then.
 */
export function letGo(http: FastifyInstance, { leaving, hasSiblings }: Going): void {
  const endsAt = new WeakMap<Socket, number>();
  if (hasSiblings)
    http.server.on('connection', (socket: Socket) => {
      endsAt.set(socket, performance.now() + shortestMs + Math.random() * (longestMs - shortestMs));
    });
  http.addHook('onSend', (request, reply, payload, done) => {
    const isLast = leaving.aborted || (endsAt.get(request.raw.socket) ?? Infinity) < performance.now();
    if (isLast) reply.header('connection', 'close');
    done(null, payload);
  });
}
