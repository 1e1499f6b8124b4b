import { ApiError, ConnectionError } from '@millrace/api';
import { expect, test } from 'vitest';
import { backOffSeconds, mayPass } from './backoff.ts';

const refused = (status: number) => new ApiError(status, { code: 'X', message: 'x' });

test('the wait doubles with each failure, up to ten seconds', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 100].map((failures) => backOffSeconds(failures, 1))).toEqual([
    0.25, 0.5, 1, 2, 4, 8, 10, 10, 10,
  ]);
});

test('the wait varies between half and all of it', () => {
  expect([0, 0.5, 1].map((random) => backOffSeconds(3, random))).toEqual([0.5, 0.75, 1]);
});

test('a broken connection, a refused log-in and trouble of the server may pass', () => {
  const passing = [
    new ConnectionError('http://x', 'why', 'check'),
    ...[401, 408, 429, 500, 502, 503].map(refused),
  ];
  expect(passing.map(mayPass)).not.toContain(false);
});

test('a refusal for good does not pass', () => {
  expect(
    [...[400, 403, 404, 409, 413, 422].map(refused), new Error('x'), undefined].map(mayPass),
  ).not.toContain(true);
});
