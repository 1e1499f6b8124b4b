import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient, type Client } from '@millrace/api';
import { environmentWith } from '../config.ts';
import { spawnServer } from '../server-process.ts';

/** A server of the demo's own, on a fresh database. */
export interface DemoServer {
  readonly url: string;
  readonly password: string;
  readonly admin: Client;
  /** Stops the server and removes its data. */
  stop(): Promise<void>;
}

/** @throws Error with what the server said when it does not start. */
export async function startDemoServer(): Promise<DemoServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-demo-'));
  const port = await freePort();
  const password = randomBytes(9).toString('base64url');
  const env = environmentWith({
    MILLRACE_HOST: '127.0.0.1',
    MILLRACE_PORT: String(port),
    MILLRACE_DATA: folder,
    MILLRACE_ADMIN_PASSWORD: password,
    MILLRACE_LOG_LEVEL: 'error',
  });
  delete env['MILLRACE_DATABASE_URL'];
  const server = spawnServer(env, ['ignore', 'ignore', 'pipe']);
  const exited = once(server, 'exit');
  const said: string[] = [];
  server.stderr?.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const stop = async () => {
    if (server.exitCode === null) server.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  const isReady = await Promise.race([ready(url), exited.then(() => false)]);
  if (!isReady) {
    await stop();
    throw new Error(`The server did not start. It said: ${said.join('').trim()}`);
  }
  return { url, password, admin: createClient({ url, username: 'admin', password }), stop };
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
async function ready(url: string): Promise<boolean> {
  const anyone = createClient({ url, token: '' });
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const isUp = await anyone.getReadiness().then(
      () => true,
      () => false,
    );
    if (isUp) return true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return false;
}
