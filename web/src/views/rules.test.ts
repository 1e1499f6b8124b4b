import { expect, test } from 'vitest';
import { addressOf, isChanged } from './rules.ts';

const view = { query: 'status:FAILED', sort: '-createdOn', columns: ['status', 'col1'] };

test('A view that is picked is in the address whole, and what is as usual is left out of it', () => {
  expect(addressOf('41', view)).toEqual({
    view: '41',
    q: 'status:FAILED',
    sort: '-createdOn',
    cols: 'status,col1',
  });
  expect(addressOf('42', { query: '', sort: '', columns: [] })).toEqual({ view: '42' });
});

test.each([
  [{}, false],
  [{ query: 'status:FAILED ' }, false],
  [{ query: 'status:NEW' }, true],
  [{ sort: '' }, true],
  [{ columns: ['col1', 'status'] }, true],
])('A list with %o instead is another than the view: %s', (other, expected) => {
  expect(isChanged(view, { ...view, ...other })).toBe(expected);
});
