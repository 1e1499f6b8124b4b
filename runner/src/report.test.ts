import { ExactNumber } from '@millrace/api';
import { expect, test } from 'vitest';
import { BusinessError, Cancelled, Defer, GiveBack } from './errors.ts';
import { completion, failure, unreadable, withRemarks } from './report.ts';

const item = { id: 7, version: 3 };

test.each([undefined, null])('returning %s completes the item without output', (output) => {
  expect(completion(item, output, 100)).toEqual({ ...item, status: 'COMPLETE' });
});

test('the object that is returned becomes the output, with its numbers exact', () => {
  const output = { big: 2n ** 60n, exact: new ExactNumber('0.10000000000000000001'), left: undefined };
  expect(completion(item, output, 100)).toEqual({
    ...item,
    status: 'COMPLETE',
    output: { big: 2n ** 60n, exact: new ExactNumber('0.10000000000000000001') },
  });
});

test.each([
  ['a list', [1], /a list; it must be an object/],
  ['a text', 'done', /a string; it must be an object/],
  ['NUL in a text', { a: '\0' }, /NUL/],
  ['half a character', { a: '\ud800' }, /surrogate/],
  ['a circle', circle(), /circular/i],
  ['what is nested too deep', nested(100_000), /^The output is nested too deep to be stored/],
])('%s cannot be an output', (_, output, message) => {
  expect(() => completion(item, output, 100)).toThrow(message);
});

test('an output may be as large as the limit, counted in bytes, and no larger', () => {
  expect(completion(item, { a: 'é' }, 10).output).toEqual({ a: 'é' });
  expect(() => completion(item, { a: 'éé' }, 10)).toThrow(/larger than the 10 bytes/);
});

test('a BusinessError is a failure that is final', () => {
  expect(failure(item, new BusinessError('Amount above the limit'))).toEqual({
    ...item,
    status: 'FAILED',
    failureKind: 'BUSINESS',
    error: 'Amount above the limit',
  });
});

test.each([
  [new Error('disk full'), 'disk full'],
  [new Cancelled('Cancelled by ana: sent twice'), 'Cancelled by ana: sent twice'],
  [new TypeError('x is not a function'), 'TypeError: x is not a function'],
  ['text', 'text'],
  [new Error('a\0b\ud800c'), 'ab\ufffdc'],
])('any other error is a technical failure: %s', (error, text) => {
  expect(failure(item, error)).toEqual({ ...item, status: 'FAILED', failureKind: 'SYSTEM', error: text });
});

test('an error is cut to what the contract allows', () => {
  expect(failure(item, new Error('x'.repeat(20_000))).error).toHaveLength(10_000);
});

test('Defer puts the item aside until a time, or for ever', () => {
  const until = new Date('2030-01-02T03:04:05Z');
  expect(failure(item, new Defer(until, 'bank closed'))).toEqual({
    ...item,
    status: 'DEFERRED',
    deferredUntil: '2030-01-02T03:04:05.000Z',
    comment: 'bank closed',
  });
  expect(failure(item, new Defer())).toEqual({ ...item, status: 'DEFERRED' });
});

test('Defer with a date that is none is a technical failure', () => {
  expect(failure(item, new Defer(new Date('no')))).toMatchObject({ status: 'FAILED', failureKind: 'SYSTEM' });
});

test('GiveBack returns the item with the reason', () => {
  expect(failure(item, new GiveBack('no licence'))).toEqual({ ...item, status: 'NEW', reason: 'no licence' });
});

test('tags, result text and output of the bot go with a report, within what the server takes', () => {
  const report = completion(item, undefined, 100);
  const tags = ['big', 'big', '', 'x'.repeat(200), ...Array.from({ length: 60 }, (_, n) => `t${String(n)}`)];
  const remarked = withRemarks(report, { tags, resultText: 'x'.repeat(2000), logTail: 'done\n' });
  expect(remarked).toMatchObject({ ...report, logTail: 'done\n', resultText: 'x'.repeat(1000) });
  expect(remarked.tags).toHaveLength(50);
  expect(remarked.tags?.slice(0, 3)).toEqual(['big', 'x'.repeat(100), 't0']);
});

test('a report without remarks has none', () => {
  const report = completion(item, undefined, 100);
  expect(withRemarks(report, { tags: [], resultText: '', logTail: undefined })).toEqual(report);
});

test('a report that the server refuses to read becomes a failure that says so', () => {
  const report = unreadable({ ...item, status: 'COMPLETE', output: { a: 1 } }, 'too deep');
  expect(report).toEqual({
    ...item,
    status: 'FAILED',
    failureKind: 'SYSTEM',
    error: 'The server refused the report of the runner: too deep',
  });
});

function nested(depth: number): object {
  let value: object = {};
  for (let level = 0; level < depth; level += 1) value = { value };
  return value;
}

function circle(): object {
  const round: Record<string, unknown> = {};
  round['self'] = round;
  return round;
}
