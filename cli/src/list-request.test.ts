import { expect, test } from 'vitest';
import { listRequest, readComparison } from './list-request.ts';

test.each([
  ['status=FAILED', { operator: 'eq', field: 'status', value: 'FAILED' }],
  ['status!=NEW', { operator: 'ne', field: 'status', value: 'NEW' }],
  ['id>=100', { operator: 'ge', field: 'id', value: '100' }],
  ['id <= 100', { operator: 'le', field: 'id', value: '100' }],
  ['id>1', { operator: 'gt', field: 'id', value: '1' }],
  ['id<1', { operator: 'lt', field: 'id', value: '1' }],
  ['name~cre=dit', { operator: 'substring', field: 'name', value: 'cre=dit' }],
  ['comment=', { operator: 'eq', field: 'comment', value: '' }],
  ['error=null', { operator: 'eq', field: 'error', value: null }],
])('%s is understood', (text, comparison) => {
  expect(readComparison(text)).toEqual(comparison);
});

test.each(['status', '=FAILED', ''])('"%s" is refused with examples', (text) => {
  expect(() => readComparison(text)).toThrow('must be like status=FAILED');
});

test('nothing given asks for everything', async () => {
  expect(await listRequest({}, [])).toEqual({});
});

test('one comparison is the filter; several, and a filter beside them, must all hold', async () => {
  const one = readComparison('a=1');
  const other = readComparison('b=2');
  expect(await listRequest({ where: [one] }, [])).toEqual({ filter: one });
  expect(await listRequest({ where: [one, other] }, [])).toEqual({
    filter: { operator: 'and', operands: [one, other] },
  });
  expect(await listRequest({ where: [one], filter: '{"operator":"NONE"}' }, [])).toEqual({
    filter: { operator: 'and', operands: [{ operator: 'NONE' }, one] },
  });
});

test('sort and page are as given', async () => {
  const sort = [{ field: 'id', direction: 'desc' as const }];
  expect(await listRequest({ sort, limit: 5, offset: 0 }, [])).toEqual({
    sort,
    page: { offset: 0, length: 5 },
  });
});

test('a place to go on from, no total and the members are as given; a total is not asked for by name', async () => {
  expect(await listRequest({ after: 'x', total: false, fields: ['id', 'col1'] }, [])).toEqual({
    page: { after: 'x', total: false },
    fields: ['id', 'col1'],
  });
  expect(await listRequest({ total: true }, [])).toEqual({});
});

test('a time in a comparison is read as people say it, in a filter it stays as the API takes it', async () => {
  const time = readComparison('createdOn>=2026-12-01T08:00+02:00');
  const filter = '{"operator":"eq","field":"createdOn","value":"2026-12-01"}';
  const text = readComparison('comment=2h');
  expect(await listRequest({ where: [time, text], filter }, ['createdOn'])).toEqual({
    filter: {
      operator: 'and',
      operands: [
        { operator: 'eq', field: 'createdOn', value: '2026-12-01' },
        { operator: 'ge', field: 'createdOn', value: '2026-12-01T06:00:00.000Z' },
        text,
      ],
    },
  });
  const unset = readComparison('createdOn=null');
  expect(await listRequest({ where: [unset] }, ['createdOn'])).toEqual({ filter: unset });
  await expect(listRequest({ where: [readComparison('createdOn<soon')] }, ['createdOn'])).rejects.toThrow(
    '"soon" cannot be read as a time',
  );
});
