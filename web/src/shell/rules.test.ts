import { expect, test } from 'vitest';
import { addressIn, itemAt, readRecent, withVisit } from './rules.ts';

const here = 'https://millrace.example';

test.each([
  ['https://millrace.example/console/queues/8/workitems/1001', '/console/queues/8/workitems/1001'],
  ['  /console/queues/8?q=status:FAILED \n', '/console/queues/8?q=status:FAILED'],
  ['https://other.example/console/queues/8', undefined],
  ['//other.example/console/queues/8', undefined],
  ['https://millrace.example/docs', undefined],
  ['/console/../docs', undefined],
  ['javascript:alert(1)//console/', undefined],
  ['R-4711', undefined],
])('The address in %o is %o', (text, address) => {
  expect(addressIn(text, here)).toBe(address);
});

test('An address of an item names it, to the last digit', () => {
  expect(itemAt('/console/queues/8/workitems/9007199254740993?x=1')).toEqual({
    queueId: '8',
    id: '9007199254740993',
  });
  expect(itemAt('/console/queues/8')).toBeUndefined();
});

test('What was opened stands once among the visits, the newest first', () => {
  const [a, b] = [
    { path: '/console/a', title: 'A' },
    { path: '/console/b', title: 'B' },
  ];
  expect(withVisit([a, b], { ...b, title: 'Bee' })).toEqual([{ ...b, title: 'Bee' }, a]);
});

test.each([
  ['of somebody else', JSON.stringify({ userId: '2', visits: [{ path: '/console/', title: 'A' }] })],
  [
    'of another place',
    JSON.stringify({ userId: '1', visits: [{ path: '//x.example/console/', title: 'A' }] }),
  ],
  ['of no title', JSON.stringify({ userId: '1', visits: [{ path: '/console/', title: 1 }, null] })],
  ['no JSON', '{'],
  ['nothing', null],
])('Kept visits that are %s count as none', (_, text) => {
  expect(readRecent(text, '1')).toEqual([]);
});
