import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Client, Id } from '@millrace/api';
import { freeze, thaw } from '../../freeze.ts';
import type { DemoServer, Stage } from '../../stage.ts';

const bot = fileURLToPath(new URL('../../../../examples/scoring-bot.ts', import.meta.url));

/** A runner: a user, and a process that works for it. */
export interface Runner {
  readonly userId: number;
  readonly process: ChildProcess;
}

/**
 * Starts some processes of the scoring bot, each with a user and a key of its own, and has them stopped at the end.
 * @param queue whose items they take
 */
export async function startRunners(stage: Stage, names: readonly string[], queue: string): Promise<Runner[]> {
  const { server, signal, atEnd, spawnScript } = stage;
  const accounts = await Promise.all(names.map((name) => createAccount(server, name)));
  signal.throwIfAborted();
  const runners = accounts.map(({ userId, settings }) => ({
    userId,
    process: spawnScript([bot, queue], settings, ['ignore', 'ignore', 'ignore']),
  }));
  atEnd(() => stopRunners(runners));
  return runners;
}

async function createAccount({ admin, url }: DemoServer, username: string) {
  const user = await admin.createUser({ body: { username, roles: [{ id: await runnerRole(admin) }] } });
  const userId = Number(user.id);
  const { apiKey = '' } = await admin.createApiKey({ body: { name: 'demo', userId } });
  const settings = { MILLRACE_URL: url, MILLRACE_USERNAME: username, MILLRACE_API_KEY: apiKey };
  return { userId, settings };
}

/** The role that makes a user a runner. */
export async function runnerRole(admin: Client): Promise<number> {
  const filter = { operator: 'eq', field: 'name', value: 'AAE_Bot Runner' };
  const { list } = await admin.listRoles({ body: { filter } });
  return Number(list[0]?.id);
}

/**
 * Kills the runner that holds the most items of the queue, without warning, as a power cut does.
 * @returns undefined when nobody was killed, because that runner had just sent its last reports.
 */
export async function killOneAtWork(
  admin: Client,
  queueId: number,
  runners: readonly Runner[],
): Promise<Runner | undefined> {
  const holders = await readHolders(admin, queueId);
  const held = ({ userId }: Runner) => holders.filter((holder) => holder === userId).length;
  const [runner] = runners.filter((one) => held(one) > 0).toSorted((a, b) => held(b) - held(a));
  if (!runner) return undefined;
  try {
    await freeze(runner.process);
    if (!(await readHolders(admin, queueId)).includes(runner.userId)) return undefined;
    runner.process.kill('SIGKILL');
    return runner;
  } finally {
    thaw(runner.process);
  }
}

/** The users who hold the items in progress, one entry an item. */
async function readHolders(admin: Client, queueId: number): Promise<(Id | undefined)[]> {
  const filter = { operator: 'eq', field: 'status', value: 'IN_PROGRESS' };
  const { list } = await admin.listWorkItems({ path: { id: queueId }, body: { filter } });
  return list.map(({ updatedBy }) => updatedBy);
}

/** Tells the runners to finish their items, and waits for that. */
async function stopRunners(runners: readonly Runner[]): Promise<void> {
  const processes = runners.map((runner) => runner.process);
  const running = processes.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  const ended = running.map((one) => once(one, 'exit'));
  for (const one of running) one.kill('SIGTERM');
  await Promise.all(ended);
}
