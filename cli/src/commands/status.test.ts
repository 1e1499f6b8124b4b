import { expect, test } from 'vitest';
import { createWrittenTerminal } from '../terminal.fixture.ts';
import { printStatus } from './status.ts';

const url = 'http://127.0.0.1:8080';
const since = '2026-11-23T21:33:17.808Z';

/** The text that a person sees. */
function shown(
  status: 'UP' | 'DOWN',
  conditions: { code: string; message: string; since: string }[],
): string {
  const { terminal, out } = createWrittenTerminal();
  printStatus(terminal, url, { status, version: '1.2.3', since, conditions });
  return out.join('\n');
}

test('a server that works is shown with its version, since when, and its database', () => {
  expect(shown('UP', []).split('\n')).toEqual([
    `${url} works.`,
    'version   1.2.3',
    `since     ${since}`,
    'database  answers',
  ]);
});

test('what somebody should mend is shown below, a line each', () => {
  const text = shown('UP', [{ code: 'CLOCK_OFF', message: 'The clocks differ.', since }]);
  expect(text).toContain(`${url} works, with warnings.`);
  expect(text).toMatch(/since +code +message\n2026-11-23T21:33:17.808Z +CLOCK_OFF +The clocks differ\.$/);
});

test.each([
  ['DATABASE_AWAY', 'does not answer'],
  ['DATABASE_READ_ONLY', 'takes no changes'],
  ['DISK_FULL', 'answers'],
])('a server with %s cannot work, and its database %s', (code, words) => {
  const text = shown('DOWN', [{ code, message: 'Mend it.', since }]);
  expect(text).toContain(`${url} cannot work.`);
  expect(text).toContain(`database  ${words}`);
});
