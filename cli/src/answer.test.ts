import { expect, test } from 'vitest';
import { printAnswer, refusalsIn, rejectedIn } from './answer.ts';
import { createWrittenTerminal } from './terminal.fixture.ts';

const answer = (value: unknown) => ({
  operationId: 'listQueues' as const,
  value,
  description: 'One page of queues',
});
const page = { offset: 2, total: 9, totalFilter: 7 };

test('JSON is printed on one line with all digits', () => {
  const { terminal, out, said } = createWrittenTerminal();
  printAnswer(terminal, answer({ list: [{ id: 9223372036854775807n }], page }), true);
  expect(out).toEqual([
    '{"list":[{"id":9223372036854775807}],"page":{"offset":2,"total":9,"totalFilter":7}}',
  ]);
  expect(said).toEqual([]);
});

test('a list is printed as a table, and what follows it is said', () => {
  const { terminal, out, said } = createWrittenTerminal();
  printAnswer(
    terminal,
    answer({
      list: [
        { id: 3, name: 'a' },
        { id: 14, name: 'b' },
      ],
      page,
    }),
    false,
  );
  expect(out).toEqual(['id  name\n3   a\n14  b']);
  expect(said).toEqual(['2 of 7; --offset 4 shows what follows.']);
});

test('the last page is followed by nothing, and an empty list by no table', () => {
  const { terminal, out, said } = createWrittenTerminal();
  printAnswer(terminal, answer({ list: [{ id: 3 }], page: { ...page, offset: 6 } }), false);
  expect(said).toEqual([]);
  printAnswer(terminal, answer({ list: [], page }), false);
  expect(out).toEqual(['id\n3']);
  expect(said).toEqual(['Nothing found.']);
});

test('columns that do not fit are said', () => {
  const { terminal, said } = createWrittenTerminal(8);
  printAnswer(terminal, answer({ list: [{ id: 3, name: 'a long name' }] }), false);
  expect(said).toEqual(['1 more column does not fit; --json shows everything.']);
});

test('a record is printed as fields, and an answer without a body as a message', () => {
  const { terminal, out, said } = createWrittenTerminal();
  printAnswer(terminal, answer({ id: 3, name: 'a' }), false);
  printAnswer(terminal, answer(undefined), false);
  expect(out).toEqual(['id    3\nname  a']);
  expect(said).toEqual(['One page of queues.']);
});

test('outcomes that are refusals are counted', () => {
  expect(refusalsIn({ list: [{ id: 1 }, { id: 2, error: { code: 'C', message: 'm' } }] })).toBe(1);
  expect(refusalsIn({ list: [{ id: 1, error: 'why the item failed' }] })).toBe(0);
  expect(refusalsIn(undefined)).toBe(0);
});

test('rows of a file that did not fit are counted', () => {
  expect(rejectedIn({ created: 1, rejected: 2, duplicates: 3 })).toBe(2);
  expect(rejectedIn({ uploadId: 4, state: 'READING' })).toBe(0);
  expect(rejectedIn(undefined)).toBe(0);
});

test('what was done to many items is printed as counts, then those that were refused, which count', () => {
  const { terminal, out } = createWrittenTerminal();
  const refusals = [{ id: 7, code: 'STATUS_CONFLICT', message: 'Item 7 is COMPLETE.' }];
  const value = { dryRun: false, selected: 3, changed: 2, refused: 1, refusals, isMore: false };
  printAnswer(terminal, { ...answer(value), operationId: 'updateWorkItemStatus' }, false);
  expect(out).toEqual([
    'dryRun    false\nselected  3\nchanged   2\nrefused   1\nisMore    false',
    '\nrefusals\nid  code             message\n7   STATUS_CONFLICT  Item 7 is COMPLETE.',
  ]);
  expect(refusalsIn(value)).toBe(1);
  expect(refusalsIn({ ...value, refused: 0, refusals: [] })).toBe(0);
});

test('what comes beside a list is printed too: fields before it, further lists behind it', () => {
  const { terminal, out } = createWrittenTerminal();
  const attempts = [{ number: 1, deviceId: 3, outcome: 'LAPSED', error: 'silent' }];
  const value = { state: 'ACTIVE', list: [{ id: 5 }], attempts };
  printAnswer(terminal, answer(value), false);
  expect(out).toEqual([
    'state  ACTIVE',
    '',
    'id\n5',
    '\nattempts\nnumber  deviceId  outcome  error\n1       3         LAPSED   silent',
  ]);
});

test('a list inside an answer is never cut', () => {
  const { terminal, out } = createWrittenTerminal(20);
  const message = 'customer '.repeat(9).trim();
  printAnswer(terminal, answer({ invalidItems: 1, invalid: [{ queueId: 2, itemId: 5, message }] }), false);
  expect(out).toEqual([
    'invalidItems  1',
    `\ninvalid\nqueueId  itemId  message\n2        5       ${message}`,
  ]);
});

test('an explanation is printed with each sentence once', () => {
  const { terminal, out } = createWrittenTerminal();
  const paused = { code: 'QUEUE_PAUSED', sentence: 'The queue is paused.' };
  const next = { code: 'NEXT', sentence: 'It is the next item.', facts: {} };
  const value = { ...paused, reasons: [{ ...paused, facts: {} }, next] };
  printAnswer(terminal, { operationId: 'explainWorkItem', value, description: '' }, false);
  expect(out).toEqual([
    'The queue is paused.',
    'code  QUEUE_PAUSED',
    '\nfurther reasons\ncode  sentence\nNEXT  It is the next item.',
  ]);
});

test('a list that was not counted says how to go on, and one whose search has ended early how far it came', () => {
  const says = (more: object) => {
    const { terminal, said } = createWrittenTerminal();
    printAnswer(terminal, answer({ list: [{ id: 3 }], page: { offset: 0, total: 9, ...more } }), false);
    return said;
  };
  expect(says({ next: 'x' })).toEqual(['More follow; --after x shows them.']);
  expect(says({ totalFilter: 5, isEstimated: true, next: 'x' })).toEqual([
    '1 of about 5; --offset 1 shows what follows.',
  ]);
  expect(says({ totalFilter: 5, isPartial: true, lookedAt: 7, next: 'x' })).toEqual([
    'Looked at 7 items so far; --after x looks at those that follow.',
  ]);
  expect(says({})).toEqual([]);
});
