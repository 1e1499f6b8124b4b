import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startApp } from '../../server/src/testing/app.ts';
import { compile } from '../../web/src/filters/compile.ts';
import { fieldsOfItems } from '../../web/src/filters/item-fields.ts';
import { parse, print, type Filter, type Sign } from '../../web/src/filters/parse.ts';

interface Sample {
  readonly number: string;
  readonly amount: number | undefined;
  readonly priority: number;
}

const texts = ['R-1', 'r-1', 'a"b', 'a\\b', '100%', 'under_score', '(or)', '-x', 'unset', 'ü ñ'];
const samples: Sample[] = texts.flatMap((number, index) =>
  [0, 1].map((more) => ({
    number,
    amount: index % 3 ? index - 4.5 : undefined,
    priority: (index + more * 5) % 10,
  })),
);

const compares = fc.oneof(
  compareOf('number', [':', '~', '^'], fc.constantFrom(...texts, 'r', '%', '_', '\\')),
  compareOf('amount', [':', '>', '>=', '<', '<='], fc.constantFrom('-2.5', '0', '3.5', '0.35e1')),
  compareOf('priority', [':', '>', '>=', '<', '<='], fc.constantFrom('0', '4', '9')),
  fc.record({ is: fc.constant('text' as const), value: fc.constantFrom('R', 'b', '4.5', '\\') }),
);

function compareOf(field: string, signs: Sign[], values: fc.Arbitrary<string>): fc.Arbitrary<Filter> {
  const given = fc.record({
    is: fc.constant('compare' as const),
    field: fc.constant(field),
    sign: fc.constantFrom(...signs),
    value: values,
  });
  const unset = fc.constant({ is: 'compare' as const, field, sign: ':' as const, value: null });
  return fc.oneof({ weight: 8, arbitrary: given }, { weight: 1, arbitrary: unset });
}

const filters = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small' },
    compares,
    fc.record({ is: fc.constant('not' as const), of: tie('filter') }),
    fc.record({
      is: fc.constantFrom('and', 'or'),
      of: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }),
    }),
  ),
})).filter;

/** Whether a filter selects a record, decided without the server. */
function selects(filter: Filter, sample: Sample): boolean {
  if (filter.is === 'not') return !selects(filter.of, sample);
  if (filter.is === 'text')
    return [sample.number, String(sample.amount ?? '')].some((text) => contains(text, filter.value));
  if (filter.is !== 'compare') {
    const parts = filter.of.map((part) => selects(part, sample));
    return filter.is === 'and' ? parts.every(Boolean) : parts.some(Boolean);
  }
  const value = sample[filter.field as keyof Sample];
  if (filter.value === null || value === undefined) return filter.value === null && value === undefined;
  return typeof value === 'string'
    ? comparesText(value, filter.sign, filter.value)
    : comparesNumber(value, filter.sign, Number(filter.value));
}

function contains(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}

function comparesText(text: string, sign: Sign, other: string): boolean {
  if (sign === '~') return contains(text, other);
  return sign === '^' ? text.startsWith(other) : text === other;
}

function comparesNumber(number: number, sign: Sign, other: number): boolean {
  if (sign === ':') return number === other;
  const isMore = number > other;
  return (sign.endsWith('=') && number === other) || (sign.startsWith('>') ? isMore : number < other);
}

test('listWorkItems finds by a filter of the console exactly what the filter says', async () => {
  const { admin } = await startApp();
  const attributes = [
    { name: 'number', type: 'TEXT' as const },
    { name: 'amount', type: 'NUMBER' as const, isRequired: false },
  ];
  const model = (await admin.createWorkItemModel({ body: { name: 'Samples', attributes } })).body;
  const workItemModelId = Number(model.id);
  const queue = (await admin.createQueue({ body: { name: 'Samples', workItemModelId } })).body;
  const path = { id: Number(queue.id) };
  const workItems = samples.map(({ priority, ...json }) => ({ priority, json }));
  const created = (await admin.createWorkItems({ path, body: { workItems } })).body.list;
  const fields = fieldsOfItems(queue, model);
  const property = fc.asyncProperty(filters, async (filter) => {
    const line = print(filter);
    const body = {
      filter: compile(parse(line) ?? filter, fields, { now: new Date(), zone: 'UTC' }),
      fields: ['id'],
    };
    const { list } = (await admin.listWorkItems({ path, body })).body;
    const expected = created.filter((_, index) => selects(filter, samples[index] as Sample));
    expect(
      list.map(({ id }) => id),
      line,
    ).toEqual(expected.map(({ id }) => id));
  });
  await fc.assert(property, { numRuns: 100 });
});
