// A process of its own for the tests: runs the embedded PostgreSQL until SIGTERM and tells its parent what happens.
import { startPostgres } from './supervisor.ts';

const tell = (event: Record<string, unknown>): void =>
  void process.stdout.write(`${JSON.stringify(event)}\n`);

// As in a server that drains first: Ctrl-C alone ends nothing.
process.on('SIGINT', () => tell({ interrupted: true }));
try {
  const postgres = await startPostgres({
    dataFolder: process.argv[2] ?? '',
    log: (message) => tell({ message }),
  });
  process.on('SIGTERM', () => {
    void postgres.stop().then(() => process.exit(0));
  });
  setInterval(() => {}, 60_000);
  tell({ up: postgres.connection });
} catch (error) {
  tell({ failed: (error as Error).message });
  process.exitCode = 1;
}
