import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient } from '@millrace/api';
import type { DemoServer, Host, Stage } from './stage.ts';

/** @throws Error with the server's output when it does not start. */
export async function startDemoServer(
  { spawnServer }: Host,
  { signal, atEnd }: Pick<Stage, 'signal' | 'atEnd'>,
): Promise<DemoServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-demo-'));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const password = randomBytes(9).toString('base64url');
  const settings = {
    MILLRACE_HOST: '127.0.0.1',
    MILLRACE_PORT: String(port),
    MILLRACE_DATA: path.join(folder, 'data'),
    MILLRACE_ADMIN_PASSWORD: password,
    MILLRACE_LOG_LEVEL: 'error',
    // A show needs no more, however large the machine.
    MILLRACE_PROCESSES: '1',
    // Empty is unset: the demo uses its own database, even where the server has another.
    MILLRACE_DATABASE_URL: '',
  };
  const server = spawnServer(settings, ['ignore', 'ignore', 'pipe']);
  const exited = once(server, 'exit');
  atEnd(async () => {
    if (server.exitCode === null) server.kill('SIGTERM');
    await exited;
  });
  const said: string[] = [];
  server.stderr?.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const url = `http://127.0.0.1:${port}`;
  const isReady = await Promise.race([ready(url, signal), exited.then(() => false)]);
  if (!isReady) throw new Error(`The server did not start. It said: ${said.join('').trim()}`);
  return { url, password, folder, admin: createClient({ url, username: 'admin', password }) };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Asks until the server can serve. The database needs a moment at its first start. */
async function ready(url: string, signal: AbortSignal): Promise<boolean> {
  const anyone = createClient({ url, token: '' });
  for (let attempt = 0; attempt < 600 && !signal.aborted; attempt += 1) {
    const isUp = await anyone.getReadiness().then(
      () => true,
      () => false,
    );
    if (isUp) return true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return false;
}
