import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findPostmaster } from '../../server/src/postgres/cluster.ts';
import { isRunning } from '../../server/src/postgres/processes.ts';
import { descendantsOf } from './processes.ts';

/** The PostgreSQL of a data folder, to be struck. Its supervisor starts it again. */
export interface Postgres {
  /** Ends its first process (`kill -9`), at which all others end. */
  readonly kill: () => Promise<void>;
  /** Has it shut down in good order, sessions cut off. */
  readonly shutDown: () => Promise<void>;
  /** Stops all its processes in the middle of their work, for some milliseconds. */
  readonly freeze: (milliseconds: number) => Promise<void>;
}

export function postgresIn(dataFolder: string): Postgres {
  const find = () => findPostmaster(path.join(dataFolder, 'postgres'));
  return {
    kill: async () => signal([await find()], 'SIGKILL'),
    shutDown: async () => {
      const pid = await find();
      if (pid === undefined) return;
      signal([pid], 'SIGINT');
      while (isRunning(pid)) await sleep(20);
    },
    freeze: async (milliseconds) => {
      const first = await find();
      signal([first], 'SIGSTOP');
      const all = first === undefined ? [] : [first, ...descendantsOf(first)];
      signal(all, 'SIGSTOP');
      await sleep(milliseconds);
      signal(all, 'SIGCONT');
    },
  };
}

/** A process that has ended meanwhile, or that is not there while PostgreSQL starts again, needs no signal. */
function signal(pids: readonly (number | undefined)[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      if (pid !== undefined) process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
