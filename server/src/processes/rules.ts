import type { Config } from '../engine/config.ts';

interface Shares {
  readonly processes: number;
  /** Connections to the database, for each process. */
  readonly databaseConnections: number;
}

const mostProcesses = 16;
/** With fewer, reads and files leave none for reports. */
const enoughConnections = 4;
const fewestConnections = 2;

/**
 * The number of processes, and of connections for each of them.
 * @param cores the cores of this machine that the server may use
 * @param usual connections of all processes, unless their number is set
 * @throws Error when there are too few connections for the wanted processes
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

/** The facts about a process that has ended, or could not start. */
interface Ending {
  /** Number of ends in a row, each before it served or soon after. */
  readonly failures: number;
  /** Whether it gave a reason why it could not start, such as a database that is away. */
  readonly isRefused: boolean;
  /** Whether another process serves meanwhile. */
  readonly othersServe: boolean;
}

/** After this time of serving, the end of a process does not count as a failed start. */
export const provedMs = 10_000;
const mostFailures = 6;

/** Whether a process is not started again, because it would only end again; the server then ends with it. */
export function isHopeless({ failures, isRefused, othersServe }: Ending): boolean {
  if (failures < mostFailures) return false;
  return !(isRefused && othersServe);
}
