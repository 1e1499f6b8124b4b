import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What becomes of stdin, stdout and stderr. */
type Streams = readonly ['ignore' | 'inherit', 'ignore' | 'inherit', 'ignore' | 'inherit' | 'pipe'];

const endWithParent = new URL('../bin/end-with-parent.mjs', import.meta.url).href;
const withTypeScript = ['--import', import.meta.resolve('tsx')];
const server = fileURLToPath(new URL('../../server/src/main.ts', import.meta.url));
const millrace = fileURLToPath(new URL('../bin/millrace.mjs', import.meta.url));

/** Starts the server as a process of its own, which stops in good order when this one dies. */
export function spawnServer(env: NodeJS.ProcessEnv, streams: Streams): ChildProcess {
  return spawnOwn([...withTypeScript, server], env, streams);
}

/** Starts a command of this program as a process of its own, which stops in good order when this one dies. */
export function spawnMillrace(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  streams: Streams,
): ChildProcess {
  return spawnOwn([millrace, ...args], env, streams);
}

/** Starts a file of TypeScript as a process of its own, which stops in good order when this one dies. */
export function spawnScript(args: readonly string[], env: NodeJS.ProcessEnv, streams: Streams): ChildProcess {
  return spawnOwn([...withTypeScript, ...args], env, streams);
}

function spawnOwn(args: readonly string[], env: NodeJS.ProcessEnv, streams: Streams): ChildProcess {
  // A process group of its own: otherwise the terminal would send Ctrl-C to the process as well, which then gets it twice and
  // takes that for a wish to stop at once. On Windows that would open a second window.
  return spawn(process.execPath, ['--import', endWithParent, ...args], {
    env,
    stdio: [...streams, 'ipc'] as StdioOptions,
    detached: process.platform !== 'win32',
  });
}
