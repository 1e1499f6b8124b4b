import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentConfig } from '@millrace/runner';
import type { Stage } from '../../stage.ts';
import { statementIn } from './bank.ts';
import type { PoolPart } from './cast.ts';

const bot = fileURLToPath(new URL('./bot.mjs', import.meta.url));
// An agent told to stop gives its item back at once; a server that is gone does not answer.
const stopMs = 10_000;

/** The agents of the devices by host name, each a process. */
export type Agents = ReadonlyMap<string, ChildProcess>;

/** Starts an agent for each device of a pool, with a user and a key for them, and has them stopped at the end. */
export async function startAgents(stage: Stage, pool: PoolPart): Promise<Agents> {
  const { server, signal, atEnd, spawnMillrace } = stage;
  const account = await createAccount(stage, pool.name);
  const files = await Promise.all(pool.hosts.map((host) => writeConfig(server.folder, host, pool)));
  signal.throwIfAborted();
  const agents = files.map((file, index): [string, ChildProcess] => [
    pool.hosts[index] ?? '',
    spawnMillrace(['agent', '--config', file, '--json'], account, ['ignore', 'ignore', 'ignore']),
  ]);
  atEnd(async () => void (await Promise.all(agents.map(([, agent]) => stop(agent)))));
  return new Map(agents);
}

/** Kills an agent without warning, as a power cut does; its bot ends with it. */
export async function kill(agent: ChildProcess): Promise<void> {
  const ended = once(agent, 'exit');
  agent.kill('SIGKILL');
  await ended;
}

async function createAccount({ server }: Stage, pool: string): Promise<Record<string, string>> {
  const { admin, url } = server;
  const username = `${pool.toLowerCase()}-devices`;
  const filter = { operator: 'eq', field: 'name', value: 'AAE_Bot Runner' };
  const { list } = await admin.listRoles({ body: { filter } });
  const user = await admin.createUser({ body: { username, roles: list.map(({ id }) => ({ id })) } });
  const { apiKey = '' } = await admin.createApiKey({ body: { name: 'agents', userId: user.id } });
  return { MILLRACE_URL: url, MILLRACE_USERNAME: username, MILLRACE_API_KEY: apiKey };
}

async function writeConfig(folder: string, hostName: string, pool: PoolPart): Promise<string> {
  const command = [process.execPath, bot, statementIn(folder)];
  const config: AgentConfig = {
    device: { hostName, slots: 1 },
    leaseSeconds: pool.leaseSeconds,
    drainSeconds: 0,
    bots: { [pool.bot]: { command, warm: true } },
  };
  const file = path.join(folder, `${hostName}.json`);
  await writeFile(file, JSON.stringify(config));
  return file;
}

async function stop(agent: ChildProcess): Promise<void> {
  if (agent.exitCode !== null || agent.signalCode !== null) return;
  const ended = once(agent, 'exit');
  agent.kill('SIGTERM');
  const timer = setTimeout(() => agent.kill('SIGKILL'), stopMs);
  await ended;
  clearTimeout(timer);
}
