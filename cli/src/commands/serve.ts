import type { ChildProcess } from 'node:child_process';
import type { Command } from 'commander';
import { wholeNumberFrom } from '../flags.ts';
import { exitOf, spawnServer } from '../own-process.ts';

interface ServeFlags {
  readonly host?: string;
  readonly port?: number;
  readonly data?: string;
}

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const;
// One Ctrl-C can arrive twice, from the terminal and from npm; a person who means it again takes longer.
const repeatMs = 1000;

/** `millrace serve`: the server as a process of its own. */
export function addServe(program: Command): Command {
  return program
    .command('serve')
    .summary('Start the server')
    .description(
      'Start the server, on its embedded PostgreSQL unless MILLRACE_DATABASE_URL names another (and MILLRACE_DATABASE_DIRECT_URL ' +
        'the way to it for migrations and listening, where the first leads through a pooler). It runs until Ctrl-C or ' +
        'SIGTERM, and then stops in good order. SIGUSR2 restarts its processes one after the other (MILLRACE_PROCESSES; one for every two ' +
        'cores), and callers lose nothing. Everything else is set in the environment; a name that is unknown is refused.',
    )
    .option('--host <address>', 'Listen on this address (MILLRACE_HOST; 127.0.0.1)')
    .option(
      '--port <n>',
      'Listen on this port, 0 for a free one (MILLRACE_PORT; 8080)',
      wholeNumberFrom(0, 65_535),
    )
    .option('--data <folder>', 'Folder of the embedded database (MILLRACE_DATA; ./data)')
    .action(async (flags: ServeFlags) => {
      process.exitCode = await serve(flags);
    });
}

/** @returns the exit code of the server. */
async function serve({ host, port, data }: ServeFlags): Promise<number> {
  const settings = {
    MILLRACE_HOST: host,
    MILLRACE_PORT: port === undefined ? undefined : String(port),
    MILLRACE_DATA: data,
  };
  const server = spawnServer(settings, ['inherit', 'inherit', 'inherit']);
  const leaveSignals = forwardSignals(server);
  try {
    return await exitOf(server);
  } finally {
    leaveSignals();
  }
}

function forwardSignals(server: ChildProcess): () => void {
  let lastOn = -Infinity;
  const forward = (signal: NodeJS.Signals) => {
    if (signal === 'SIGUSR2') return void server.kill(signal);
    if (Date.now() - lastOn < repeatMs) return;
    lastOn = Date.now();
    // A closed terminal means the same to the server as a polite end.
    server.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  };
  for (const name of forwarded) process.on(name, forward);
  return () => {
    for (const name of forwarded) process.off(name, forward);
  };
}
