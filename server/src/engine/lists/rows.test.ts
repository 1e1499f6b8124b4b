import { parseJson, stringifyJson, type Schemas } from '@millrace/api';
import { beforeAll, describe, expect, it } from 'vitest';
import { startApp } from '../../testing/app.ts';
import { createQueue, type QueueFixture } from '../../testing/fixtures.ts';

let queue: QueueFixture;
let ids: unknown[];

const records = [
  '{"customer":"Ärger 50%","amount":9007199254740993,"due":"2026-03-01","urgent":true}',
  '{"customer":"ärger_50","amount":9007199254740992,"due":"2026-03-01T02:00:00+09:00","urgent":false}',
  '{"customer":"a\\\\b","amount":-1.5}',
  '{"customer":"z","amount":10,"due":"2026-03-02T00:00:00.123456Z"}',
  '{"customer":"Z","due":"2026-02-28T23:59:59-01:00","urgent":true}',
];

beforeAll(async () => {
  const app = await startApp();
  queue = await createQueue(app);
  const workItems = records.map((record) => ({ json: parseJson(record) as Record<string, unknown> }));
  const { body } = await queue.owner.call.createWorkItems({ path: queue.path, body: { workItems } });
  ids = body.list.map(({ id }) => id);
});

/** The listed records by their places, in the order of the answer. */
async function list(body: Schemas['ListRequest']): Promise<number[]> {
  const answer = await queue.owner.call.listWorkItems({ path: queue.path, body });
  expect(answer.status, stringifyJson(answer.error)).toBe(200);
  const places = answer.body.list.map(({ id }) => ids.indexOf(id));
  if (!body.page) expect(answer.body.page).toEqual({ offset: 0, total: 5, totalFilter: places.length });
  return places;
}

const compare = (operator: string, field: string, value: unknown) => ({ operator, field, value });
const not = (...operands: object[]) => ({ operator: 'not', operands });

describe('listWorkItems', () => {
  it.each<[object, number[]]>([
    [compare('eq', 'col1', 'z'), [3]],
    [compare('ne', 'col1', 'z'), [0, 1, 2, 4]],
    [compare('substring', 'col1', 'z'), [3, 4]],
    [compare('substring', 'col1', 'ÄRGER'), [0, 1]],
    [compare('substring', 'col1', '50%'), [0]],
    [compare('substring', 'col1', 'r_5'), [1]],
    [compare('substring', 'col1', '\\'), [2]],
    [compare('substring', 'col1', ''), [0, 1, 2, 3, 4]],
    [compare('eq', 'col2', '9007199254740993'), [0]],
    [compare('ge', 'col2', '10.0'), [0, 1, 3]],
    [compare('lt', 'col2', -1), [2]],
    [compare('eq', 'col2', null), [4]],
    [compare('ne', 'col2', null), [0, 1, 2, 3]],
    [compare('ne', 'col2', 10), [0, 1, 2, 4]],
    [not(compare('lt', 'col2', 100)), [0, 1, 4]],
    [not(not(compare('lt', 'col2', 100))), [2, 3]],
    [not(compare('eq', 'col2', 10), compare('eq', 'col1', 'z')), [0, 1, 2, 4]],
    [compare('eq', 'col3', '2026-02-28T17:00:00Z'), [1]],
    [compare('le', 'col3', '2026-03-01T00:59:59+00:00'), [0, 1, 4]],
    [compare('gt', 'col3', '2026-03-02T09:00:00.123455+09:00'), [3]],
    [compare('eq', 'col4', false), [1]],
    [compare('ne', 'col4', 'true'), [1, 2, 3]],
    [compare('eq', 'deviceId', null), [0, 1, 2, 3, 4]],
    [compare('eq', 'status', 'new'), [0, 1, 2, 3, 4]],
    [compare('gt', 'id', '9223372036854775807'), []],
    [{ operator: 'or', operands: [compare('eq', 'col4', false), compare('lt', 'col2', 0)] }, [1, 2]],
  ])('listWorkItems by %j finds %j', async (filter, expected) => {
    expect(await list({ filter } as Schemas['ListRequest'])).toEqual(expected);
  });

  it.each<[Schemas['ListRequest']['sort'], number[]]>([
    [[{ field: 'col2' }], [2, 3, 1, 0, 4]],
    [[{ field: 'col2', direction: 'desc' }], [0, 1, 3, 2, 4]],
    [[{ field: 'col3', direction: 'DESC' }], [3, 4, 0, 1, 2]],
    [[{ field: 'col4' }], [1, 0, 4, 2, 3]],
    [
      [{ field: 'col4', direction: 'desc' }, { field: 'col2' }],
      [0, 4, 1, 2, 3],
    ],
    [[{ field: 'id', direction: 'desc' }], [4, 3, 2, 1, 0]],
    [
      [{ field: '' }, { field: null }],
      [0, 1, 2, 3, 4],
    ],
  ])('listWorkItems sorted by %j puts unset values last and ties by id: %j', async (sort, expected) => {
    expect(await list({ sort: sort ?? null })).toEqual(expected);
  });

  it('listWorkItems shows each item once over all pages, whatever the order', async () => {
    const sort = [{ field: 'col4' }];
    const pages = [0, 2, 4, 6].map((offset) => list({ sort, page: { offset, length: '2' } }));
    expect(await Promise.all(pages)).toEqual([[1, 0], [4, 2], [3], []]);
  });

  it('listWorkItems takes a hundred comparisons', async () => {
    const operands = Array.from({ length: 99 }, (_, amount) => compare('eq', 'col2', 100 + amount));
    const filter = { operator: 'or', operands: [...operands, compare('eq', 'col2', 10)] };
    expect(await list({ filter })).toEqual([3]);
  });

  it.each([
    ['col2', 'amount', '5e-324'],
    ['col2', 'amount', '-1e308'],
    ['col2', 'amount', `0.${'1'.repeat(900)}`],
    ['col3', 'due', '"0001-01-01T15:59:00+15:59"'],
    ['col3', 'due', '"9999-12-31T08:00:59.999999999-15:59"'],
  ])('listWorkItems can filter and sort by %s when %s is %s', async (field, name, value) => {
    const { path, owner } = await createQueue(await startApp());
    const workItems = [{ json: parseJson(`{"customer":"a","${name}":${value}}`) as Record<string, unknown> }];
    expect((await owner.call.createWorkItems({ path, body: { workItems } })).status).toBe(200);
    const filter = not(compare('eq', field, name === 'due' ? '2026-01-01' : 1));
    const { status, body } = await owner.call.listWorkItems({
      path,
      body: { filter, sort: [{ field, direction: 'desc' }] },
    });
    expect([status, body.list.length]).toEqual([200, 1]);
  });
});
