import { Server, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { sleep } from '../sleep.ts';

const closeSeconds = 10;
/** Longer than a connection may be idle, so that its client ends it, or Node at a time announced to the client. */
const leaveSeconds = 80;

/** The ways in which a server ends the connections of its clients. */
interface Connections {
  /** Answers requests under way, for some seconds, and accepts no more. */
  close(): Promise<void>;
  /**
   * Accepts no new connections, and waits until the present ones have gone.
   * @param leaving is aborted for all open streams and waiting calls
   * @param settled waits for other work under way
   */
  leave(leaving: AbortController, settled: readonly (() => Promise<unknown>)[]): Promise<void>;
}

/** To be called before the server listens. */
export function connectionsOf(http: FastifyInstance): Connections {
  const { server } = http;
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return {
    close: () => closePatiently(http, sockets),
    leave: async (leaving, settled) => {
      leaving.abort();
      const late = AbortSignal.timeout(leaveSeconds * 1000);
      // The close method for HTTP would end idle connections at once, on which a request may be arriving just then.
      Server.prototype.close.call(server);
      while (sockets.size > 0 && !late.aborted) await sleep(100, late);
      const isLate = new Promise((resolve) => late.addEventListener('abort', resolve));
      if (!late.aborted) await Promise.race([Promise.all(settled.map((settle) => settle())), isLate]);
    },
  };
}

async function closePatiently(http: FastifyInstance, sockets: ReadonlySet<Socket>): Promise<void> {
  // A client that is still sending by then, such as a slow upload, has to start again anyway.
  const patience = setTimeout(() => http.server.closeAllConnections(), closeSeconds * 1000);
  const closed = http.close();
  // Closing would wait for connections without a request; browsers open them in advance.
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  await closed;
  clearTimeout(patience);
}
