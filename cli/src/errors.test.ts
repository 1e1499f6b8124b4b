import { ApiError, ConnectionError } from '@millrace/api';
import { CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { Interrupted, UsageError, failureOf, sayFailure } from './errors.ts';
import { createWrittenTerminal } from './terminal.fixture.ts';

test.each([
  [new ApiError(404, { code: 'NOT_FOUND', message: 'm' }), 1],
  [new ApiError(500, { code: 'FAILURE', message: 'm' }), 1],
  [new Error('m'), 1],
  [new UsageError('m'), 2],
  [new CommanderError(1, 'commander.unknownOption', 'm'), 2],
  [new CommanderError(0, 'commander.helpDisplayed', 'm'), 0],
  [new ConnectionError('http://a', 'why', 'check'), 3],
  [new ApiError(401, { code: 'UNAUTHENTICATED', message: 'm' }), 4],
  [new Interrupted(), 130],
])('%o ends with exit code %i', (error, exitCode) => {
  expect(failureOf(error).exitCode).toBe(exitCode);
});

test('a server that is not there is said with how to start it', () => {
  const failure = failureOf(new ConnectionError('http://a', 'connect ECONNREFUSED', 'Check.'));
  expect(failure.message).toContain('http://a');
  expect(failure.advice).toContain('npm start');
});

test('a missing log-in is said with how to log in', () => {
  expect(failureOf(new ApiError(401, { code: 'C', message: 'm' })).advice).toContain('millrace login');
});

test('a mistake in the program shows where it happened', () => {
  expect(failureOf(new TypeError('x is no function')).message).toContain('errors.test.ts');
});

const details = [
  { row: 3, field: 'amount', message: 'must be a number' },
  { row: 12, message: 'has 2 cells\u001b[2J' },
];

test('each refused row is shown with row, column and reason, and cannot take over the terminal', () => {
  const { terminal, out, said } = createWrittenTerminal();
  const error = new ApiError(400, { code: 'INVALID_REQUEST', message: 'Row 3 is wrong.', details });
  sayFailure(terminal, failureOf(error), false);
  expect(out).toEqual([]);
  expect(said.join('\n').split('\n')).toEqual([
    'error INVALID_REQUEST: Row 3 is wrong.',
    '',
    'ROW  COLUMN  REASON',
    '3    amount  must be a number',
    '12           has 2 cells [2J',
  ]);
});

test('what a failure quotes cannot take over the terminal, and keeps its lines', () => {
  const { terminal, said } = createWrittenTerminal();
  sayFailure(terminal, { exitCode: 1, code: 'C', message: 'No column \u001b]0;x\u0007 here.\nTwo.' }, false);
  expect(said).toEqual(['error C: No column  ]0;x  here.\nTwo.']);
});

test('arguments that cannot be read are said once, with where to read more; as JSON on demand', () => {
  const failure = failureOf(new CommanderError(1, 'commander.unknownOption', "error: unknown option '--x'"));
  const person = createWrittenTerminal();
  sayFailure(person.terminal, failure, false);
  expect(person.said).toEqual(["error: unknown option '--x'", 'Add --help to see what can be given.']);
  const program = createWrittenTerminal();
  sayFailure(program.terminal, failure, true);
  expect(program.said.map((line) => JSON.parse(line) as unknown)).toEqual([
    { code: 'USAGE', message: "unknown option '--x'" },
  ]);
});

test('of a file that is in its queue already, the commands are said that undo it or store it once more', () => {
  const { terminal, said } = createWrittenTerminal();
  const detail = { queueId: 7, uploadId: 4, message: 'The same file is in this queue already' };
  const error = new ApiError(409, {
    code: 'STATUS_CONFLICT',
    message: 'The same file is in this queue already.',
    details: [detail],
  });
  sayFailure(terminal, failureOf(error), false);
  expect(said).toEqual([
    'error STATUS_CONFLICT: The same file is in this queue already.',
    'To see it: millrace queue upload 7 4. To undo it: millrace queue undo-upload 7 4. To have both: add --again.',
  ]);
});

test('help that was shown because no command was given needs no more words', () => {
  expect(failureOf(new CommanderError(1, 'commander.help', '(outputHelp)')).message).toBe('');
});

test('refused items are shown with their queue, also where the message says what is wrong with the first', () => {
  const { terminal, said } = createWrittenTerminal();
  const refused = [
    { queueId: 7, itemId: 1001, field: 'amount', message: 'has no value' },
    { queueId: 31, itemId: 5, field: 'amount', message: 'has no value' },
  ];
  sayFailure(
    terminal,
    { exitCode: 1, code: 'C', message: 'Item 1001 has no value.', details: refused },
    false,
  );
  expect(said[1]?.split('\n').slice(1)).toEqual([
    'QUEUE  ITEM  FIELD   REASON',
    '7      1001  amount  has no value',
    '31     5     amount  has no value',
  ]);
});

test('details that the message holds already are not repeated', () => {
  const { terminal, said } = createWrittenTerminal();
  const message = 'amount must be a number.';
  sayFailure(
    terminal,
    { exitCode: 1, code: 'C', message, details: [{ message: 'must be a number' }] },
    false,
  );
  expect(said).toEqual(['error C: amount must be a number.']);
});

test('a request that the server advises is shown as its command, but to programs as it came', () => {
  const { terminal, said } = createWrittenTerminal();
  const message = 'Restore it first: POST /v4/wlm/queues/7/restore.';
  sayFailure(terminal, { exitCode: 1, code: 'C', message }, false);
  sayFailure(terminal, { exitCode: 1, code: 'C', message }, true);
  expect(said).toEqual([
    'error C: Restore it first: `millrace queue restore 7`.',
    `{"code":"C","message":"${message}"}`,
  ]);
});

test('a caller who asks for JSON gets the error of the server as JSON, on stderr', () => {
  const { terminal, out, said } = createWrittenTerminal();
  sayFailure(terminal, failureOf(new ApiError(400, { code: 'C', message: 'm', details })), true);
  expect(out).toEqual([]);
  expect(said.map((line) => JSON.parse(line) as unknown)).toEqual([{ code: 'C', message: 'm', details }]);
});
