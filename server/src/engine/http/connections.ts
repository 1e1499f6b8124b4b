import { Server, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { sleep } from '../sleep.ts';

const closeSeconds = 10;
/** Longer than a connection may be idle, so that its client ends it, or Node at a moment of which the client was told. */
const leaveSeconds = 80;

/** The ways in which a server parts with the connections of its clients. */
interface Connections {
  /** Answers what is under way, for some seconds, and takes nothing more. */
  close(): Promise<void>;
  /**
   * Takes no new connections, and waits until those that are there have gone.
   * @param leaving is aborted for all who have something open
   * @param settled waits for what is under way besides
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
      // The way of HTTP to close would end idle connections at once, on which a request may be coming just then.
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
  // Closing would wait for connections that have asked for nothing yet; browsers open them in advance.
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  await closed;
  clearTimeout(patience);
}
