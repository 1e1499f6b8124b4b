import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { environmentWith } from '../config.ts';

const bot = fileURLToPath(new URL('../../../examples/scoring-bot.ts', import.meta.url));

/** Whom the runners log in as. */
export interface RunnerAccess {
  readonly url: string;
  readonly username: string;
  readonly apiKey: string;
}

/** Starts so many processes of the scoring bot. */
export function startRunners(count: number, access: RunnerAccess, queue: string): ChildProcess[] {
  const env = environmentWith({
    MILLRACE_URL: access.url,
    MILLRACE_USERNAME: access.username,
    MILLRACE_API_KEY: access.apiKey,
  });
  const args = ['--import', import.meta.resolve('tsx'), bot, queue];
  return Array.from({ length: count }, () => spawn(process.execPath, args, { env, stdio: 'ignore' }));
}

/** Ends a runner without warning, as a power cut does. */
export function killRunner(runner: ChildProcess | undefined): void {
  runner?.kill('SIGKILL');
}

/** Tells the runners to finish what they hold, and waits for it. */
export async function stopRunners(runners: readonly ChildProcess[]): Promise<void> {
  const running = runners.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  const ended = running.map((runner) => once(runner, 'exit'));
  for (const runner of running) runner.kill('SIGTERM');
  await Promise.all(ended);
}
