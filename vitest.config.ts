import { availableParallelism } from 'node:os';
import { defineConfig, type TestUserConfig } from 'vitest/config';
import { summaryReporter } from './scripts/summary-reporter.ts';

const minutes = (count: number) => count * 60_000;

const everywhere: TestUserConfig = {
  setupFiles: 'server/src/testing/setup.ts',
  // Tests start and kill processes and set timers aside: threads share too much for that.
  pool: 'forks',
  // Loading the server takes longer than most files run: those of a worker share its modules.
  isolate: false,
  // No test waits for these: they end what hangs, and are far beyond what a slow or busy machine needs.
  testTimeout: minutes(10),
  hookTimeout: minutes(10),
  // A test without an assertion cannot fail. Counted at run time, so that functions that assert count too.
  expect: { requireAssertions: true, poll: { timeout: minutes(5) } },
  allowOnly: false,
};

/** The tests that stop databases, networks and processes, and wait for deadlines to pass: each takes longer than most rooms have for all. */
const faults = [
  'server/src/engine/{failover,notifier,silence}.test.ts',
  'server/src/engine/http/{hostile,uploads}.test.ts',
  'server/src/health/health.test.ts',
  'server/src/postgres/supervisor.test.ts',
  'server/src/work-items/maintain/lease-expiry.test.ts',
];

export default defineConfig({
  test: {
    globalSetup: 'server/src/testing/cluster.ts',
    // One more than there are cores: some files wait for what takes its time, such as deadlines that have to pass.
    maxWorkers: Math.min(4, availableParallelism() + 1),
    reporters: ['default', summaryReporter()],
    projects: [
      // The first by name, begun first: its files take longest.
      {
        test: {
          ...everywhere,
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          globalSetup: 'e2e/packages.setup.ts',
        },
      },
      { test: { ...everywhere, name: 'faults', include: faults } },
      {
        test: {
          ...everywhere,
          name: 'quick',
          include: ['{api,server,cli,demo,runner,web,scripts}/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...faults],
        },
      },
    ],
  },
});
