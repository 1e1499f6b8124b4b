import type { Config } from '../engine/config.ts';

interface Shares {
  readonly processes: number;
  /** Connections to the database of each. */
  readonly databaseConnections: number;
}

const mostProcesses = 16;
/** With fewer, reads and files leave none to those who report. */
const enoughConnections = 4;
const fewestConnections = 2;

/**
 * How many processes serve, and how many connections each of them has.
 * @param cores that this machine has for the server
 * @param usual connections of all, where nobody said how many
 * @throws Error when there are too few connections for the processes that were asked for
 */
export function decideShares(
  { processes: asked, databaseConnections: all }: Pick<Config, 'processes' | 'databaseConnections'>,
  cores: number,
  usual: number,
): Shares {
  const suited = Math.min(mostProcesses, Math.max(1, Math.floor(cores / 2)));
  const fitting = all === undefined ? suited : Math.max(1, Math.floor(all / enoughConnections));
  const processes = asked ?? Math.min(suited, fitting);
  const connections = all ?? Math.max(usual, processes * enoughConnections);
  const databaseConnections = Math.floor(connections / processes);
  if (databaseConnections >= fewestConnections) return { processes, databaseConnections };
  throw new Error(
    `MILLRACE_PROCESSES=${processes} needs at least MILLRACE_DATABASE_CONNECTIONS=${processes * enoughConnections}, of which each ` +
      `process gets a part; ${connections} are too few.`,
  );
}

/** What is known when a process has ended, or could not start. */
interface Ending {
  /** How often in a row, each time before it served or soon after. */
  readonly failures: number;
  /** Whether it said why it could not start, as when the database is away. */
  readonly isRefused: boolean;
  /** Whether another process serves meanwhile. */
  readonly othersServe: boolean;
}

/** Of a process that has served for so long, the end is no failure to start. */
export const provedMs = 10_000;
const mostFailures = 6;

/** Whether a process is not started again, as it would only end again, and with it the server. */
export function isHopeless({ failures, isRefused, othersServe }: Ending): boolean {
  if (failures < mostFailures) return false;
  return !(isRefused && othersServe);
}
