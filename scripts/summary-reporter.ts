import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/**
 * Says at the very end, on a line of its own, how many tests passed, failed and were skipped, for people and programs
 * that look for one line. A file that cannot be loaded, an error outside of any test and a run that ends in failure
 * before its tests each count as a failure: the line never says that all is well when it is not.
 * @param failedList a file to be written that names the files with failures, one a line; none where an error outside of any test
 * belongs to no file
 */
export function summaryReporter(failedList = process.env['FAILED_TESTS_FILE']): Reporter {
  const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
  return {
    onInit() {
      process.once('exit', (exitCode) => console.log(summaryLine(count, exitCode !== 0)));
    },
    onTestRunStart() {
      // In watch mode one process makes many runs; the last one counts.
      Object.assign(count, { passed: 0, failed: 0, skipped: 0, pending: 0 });
    },
    onTestRunEnd(modules, errors) {
      count.failed += errors.length + modules.filter(isBroken).length;
      for (const module of modules)
        for (const test of module.children.allTests()) count[test.result().state] += 1;
      if (failedList !== undefined) {
        const failed = errors.length > 0 ? [] : modules.filter((module) => !module.ok());
        writeFileSync(failedList, failed.map(({ moduleId }) => `${moduleId}\n`).join(''));
      }
    },
  };
}

function isBroken(module: TestModule): boolean {
  return (
    module.errors().length > 0 || [...module.children.allSuites()].some((suite) => suite.errors().length > 0)
  );
}

interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly pending: number;
}

/** `12 passed, 0 failed`, and `, 1 skipped` where there are any. A test that never ended has failed. */
export function summaryLine(count: Count, hasRunFailed: boolean): string {
  const failed = Math.max(count.failed + count.pending, hasRunFailed ? 1 : 0);
  return `${count.passed} passed, ${failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ''}`;
}
