/** One of several processes of a server, started by `parent.ts`. Its argument is their number. */
import { readConfig } from '../engine/config.ts';
import { goOnUnread } from '../engine/output.ts';
import { divideBy } from '../engine/share.ts';
import { Link } from './link.ts';

goOnUnread();
divideBy(Number(process.argv[2]));

const leaving = new AbortController();
const stopping = new AbortController();
const link = new Link({ leave: () => leaving.abort(), stop: () => stopping.abort() });
// A process that is ended by itself is replaced by another.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stopping.abort());

/** Settles when one of the signals aborts. */
function untilAborted(...signals: AbortSignal[]): Promise<unknown> {
  const any = AbortSignal.any(signals);
  return any.aborted ? Promise.resolve() : new Promise((resolve) => any.addEventListener('abort', resolve));
}

async function refuseStopped(): Promise<never> {
  await untilAborted(stopping.signal);
  throw stopping.signal.reason;
}

async function serve(): Promise<void> {
  // Loading takes longer than any other part of a start: it happens while the database starts.
  const loading = import('../server.ts');
  const { connection, direct, ownKeyFile, ...own } = await Promise.race([link.started, refuseStopped()]);
  const { startServer } = await loading;
  const config = { ...readConfig(), ...own };
  const more = { direct, ownKeyFile, siblings: link, stopping: stopping.signal };
  const server = await startServer(config, connection, more);
  const { url, firstPassword, madeKeyFile } = server;
  await link.tell({ kind: 'serving', url, firstPassword, madeKeyFile });
  await untilAborted(leaving.signal, stopping.signal);
  if (!stopping.signal.aborted) await Promise.race([server.leave(), untilAborted(stopping.signal)]);
  await server.stop();
}

serve().then(
  () => process.exit(0),
  async (error: unknown) => {
    const isStopped = error === stopping.signal.reason;
    if (!isStopped) await link.tell({ kind: 'failed', message: (error as Error).message });
    process.exit(isStopped ? 0 : 1);
  },
);
