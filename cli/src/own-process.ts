import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { environmentWith } from './config.ts';

/** Settings of a process, on top of the environment of this one; undefined leaves one as it is. */
type Settings = Readonly<Record<string, string | undefined>>;
/** The targets of stdin, stdout and stderr. */
type Streams = readonly ['ignore' | 'inherit', 'ignore' | 'inherit' | 'pipe', 'ignore' | 'inherit' | 'pipe'];

const endWithParent = new URL('../bin/end-with-parent.mjs', import.meta.url).href;
const millrace = fileURLToPath(new URL('../bin/millrace.mjs', import.meta.url));

/** Starts the server as a process of its own, which stops in good order when this one dies. */
export function spawnServer(settings: Settings, streams: Streams): ChildProcess {
  const server = locatePart('@millrace/server/main', 'npm start');
  return spawnScript([fileURLToPath(server)], settings, streams);
}

/** Starts a command of this program as a process of its own, which stops in good order when this one dies. */
export function spawnMillrace(args: readonly string[], settings: Settings, streams: Streams): ChildProcess {
  return spawnOwn([millrace, ...args], settings, streams);
}

/** Starts a TypeScript file, or its compiled form, as a process of its own, which stops in good order when this one dies. */
export function spawnScript(args: readonly string[], settings: Settings, streams: Streams): ChildProcess {
  const reading = args[0]?.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : [];
  return spawnOwn([...reading, ...args], settings, streams);
}

/**
 * Finds a part of Millrace that every clone has, and that npm brings in a package of its own.
 * @param instead does the same in a clone
 * @returns the URL of its file.
 * @throws Error that says how to get it.
 */
export function locatePart(
  name: `@millrace/server/${'main' | 'reset-password' | 'verify-audit'}` | '@millrace/demo',
  instead: string,
): string {
  try {
    return import.meta.resolve(name);
  } catch {
    const [, owner] = name.split('/');
    const more = owner === 'server' ? 'Install @millrace/server beside it, or clone' : 'Clone';
    throw new Error(
      `The ${owner} of Millrace does not come with this package. ${more} the repository of Millrace, and run \`${instead}\` there.`,
    );
  }
}

/** The exit code of a process, as a shell gives it. */
export function exitOf(process: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    process.once('error', reject);
    process.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  });
}

function spawnOwn(args: readonly string[], settings: Settings, streams: Streams): ChildProcess {
  // In the same process group the child would get Ctrl-C twice, from the terminal and from this process, and stop at once. On
  // Windows, detaching would open a second window.
  return spawn(process.execPath, ['--import', endWithParent, ...args], {
    env: environmentWith(settings),
    stdio: [...streams, 'ipc'] as StdioOptions,
    detached: process.platform !== 'win32',
  });
}
