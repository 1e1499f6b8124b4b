import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Starts the server as a process of its own, which stops in good order when this one dies.
 * @param stdio what becomes of its stdin, stdout and stderr.
 */
export function spawnServer(
  env: NodeJS.ProcessEnv,
  stdio: readonly ['ignore' | 'inherit', 'inherit' | 'ignore', 'inherit' | 'pipe'],
): ChildProcess {
  const imports = [import.meta.resolve('tsx'), new URL('../bin/end-with-parent.mjs', import.meta.url).href];
  const main = fileURLToPath(new URL('../../server/src/main.ts', import.meta.url));
  // A process group of its own: otherwise the terminal would send Ctrl-C to the server as well, which then gets it twice and
  // takes that for a wish to stop at once. On Windows that would open a second window.
  return spawn(process.execPath, [...imports.flatMap((url) => ['--import', url]), main], {
    env,
    stdio: [...stdio, 'ipc'] as StdioOptions,
    detached: process.platform !== 'win32',
  });
}
