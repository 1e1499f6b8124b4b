import { defineConfig } from 'vitest/config';
import { summaryReporter } from './scripts/summary-reporter.ts';

export default defineConfig({
  test: {
    include: ['{api,server,cli,runner,web,e2e,scripts}/**/*.test.ts'],
    // Tests start and kill processes and read the exit code of their own: threads share too much for that.
    globalSetup: 'server/src/testing/cluster.ts',
    pool: 'forks',
    // Long enough for a slow machine that runs several files at once; no test waits for it.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A test without an assertion cannot fail. Counted at run time, so that functions that assert count too.
    expect: { requireAssertions: true },
    allowOnly: false,
    reporters: ['default', summaryReporter()],
  },
});
