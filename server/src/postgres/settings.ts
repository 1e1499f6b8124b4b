import { totalmem } from 'node:os';

/** PostgreSQL settings by name, in the spelling of its configuration file. */
export type Settings = Record<string, string>;

const mebibyte = 1024 * 1024;

const durable: Settings = {
  // An acknowledged item survives a power loss.
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
};

const tuned: Settings = {
  max_connections: '100',
  superuser_reserved_connections: '3',

  // Fewer, evenly spread checkpoints; at most about 2 GB of write-ahead log.
  max_wal_size: '2GB',
  min_wal_size: '160MB',
  wal_buffers: '16MB',
  checkpoint_timeout: '10min',
  checkpoint_completion_target: '0.9',
  log_checkpoints: 'off',

  // Each item is updated several times in its short life: dead rows must go early, or claiming slows down.
  autovacuum_naptime: '10s',
  autovacuum_vacuum_scale_factor: '0.02',
  autovacuum_vacuum_threshold: '500',
  autovacuum_vacuum_insert_scale_factor: '0.1',
  autovacuum_analyze_scale_factor: '0.05',
  autovacuum_vacuum_cost_delay: '1ms',
  autovacuum_vacuum_cost_limit: '1000',

  // Statements are short; compiling them costs more than it brings.
  jit: 'off',
  random_page_cost: '1.1',

  TimeZone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  logging_collector: 'off',
};

/**
 * The settings of the embedded server for a machine with that much memory. They are given on the command line, so
 * they follow the machine and the Millrace version; postgresql.conf and ALTER SYSTEM can change all others.
 */
export function serverSettings(memoryBytes: number): Settings {
  const memory = memoryBytes / mebibyte;
  return {
    ...durable,
    ...tuned,
    // Modest: the machine also runs Millrace and, often, its runners.
    shared_buffers: megabytes(memory / 8, 32, 1024),
    effective_cache_size: megabytes(memory / 2, 64, 65_536),
    maintenance_work_mem: megabytes(memory / 32, 32, 256),
    work_mem: megabytes(memory / 512, 4, 16),
  };
}

function megabytes(wanted: number, least: number, most: number): string {
  return `${Math.round(Math.min(most, Math.max(least, wanted)))}MB`;
}

/** The memory this process may use: of the container if it has a limit, else of the machine. */
export function availableMemory(): number {
  const limit = process.constrainedMemory();
  return limit ? Math.min(limit, totalmem()) : totalmem();
}

/** The settings as arguments of the `postgres` program. */
export function settingArguments(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
