import { parseJson, type Schemas } from '@millrace/api';
import { join, sql, type Sql } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import { conjunctsOf } from '../../engine/lists/filter.ts';
import { orderTerm, sortKeys, type SortKey } from '../../engine/lists/lists.ts';
import { readValue, type Field } from '../../engine/lists/values.ts';

/** The sort keys of a list, of which the last is the id. */
export type Order = readonly SortKey[];

/** The values of an item for each key of an order, as text. */
export type Place = readonly (string | null)[];

const id = sql`i.id`;

/**
 * The order wanted by a request. Fields that the filter restricts to one value order nothing and are left out.
 * @throws Refusal INVALID_REQUEST when the sort cannot be understood.
 */
export function orderOfList(request: Schemas['WorkItemListRequest'], fields: Record<string, Field>): Order {
  const keys = sortKeys(request.sort ?? [], fields, id);
  const constant = new Set(
    conjunctsOf(request.filter).flatMap(({ operator, field, value }) =>
      operator === 'eq' && value !== null && fields[field]?.type !== 'texts' && !fields[field]?.has
        ? [field]
        : [],
    ),
  );
  const last = {
    name: 'id',
    column: id,
    type: 'id',
    isDescending: keys.at(-1)?.isDescending ?? false,
  } as const;
  return [...keys.filter(({ name }) => name !== 'id' && !constant.has(name)), last];
}

/** The terms after "order by". */
export function termsOf(order: Order): Sql {
  return join(order.map((key) => orderTerm(key, id)));
}

/** The same for values that are all set, in the form of an index. */
export function indexTermsOf(order: Order): Sql {
  return join(order.map(({ column, isDescending }) => (isDescending ? sql`${column} desc` : column)));
}

/** The place of a row, as JSON. */
export function placeOf(order: Order): Sql {
  return sql`json_build_array(${join(order.map(({ column }) => sql`${column}::text`))})`;
}

/** A condition for the rows after a place. Unset values come last in both directions. */
export function behind(order: Order, place: Place): Sql {
  const values = order.map((key, index) => valueAt(key, place[index] ?? null));
  const alternatives = order.map((key, index) => {
    const same = order.slice(0, index).map((earlier, at) => isSame(earlier.column, values[at]));
    return sql`(${join([...same, isBehind(key, values[index])], ' and ')})`;
  });
  return sql`(${join(alternatives, ' or ')})`;
}

/** The same for an order in one direction whose values are all set: one comparison, which an index serves. */
export function behindInOne(order: Order, place: Place): Sql {
  const values = order.map((key, index) => valueAt(key, place[index] ?? null) ?? sql`null`);
  const columns = join(order.map(({ column }) => column));
  return order[0]?.isDescending
    ? sql`(${columns}) < (${join(values)})`
    : sql`(${columns}) > (${join(values)})`;
}

/** A value of a place in SQL; undefined when it is unset. @throws Refusal when somebody made it up */
function valueAt({ name, type }: SortKey, value: string | null): Sql | undefined {
  if (type === 'texts') throw refusal('cannot go on in an order of lists of texts: use page.offset');
  return value === null ? undefined : readValue(name, type, value, 'page.after');
}

const isSame = (column: Sql, value: Sql | undefined) =>
  value ? sql`${column} = ${value}` : sql`${column} is null`;

function isBehind({ column, name, isDescending }: SortKey, value: Sql | undefined): Sql {
  if (!value) return sql`false`;
  const further = isDescending ? sql`${column} < ${value}` : sql`${column} > ${value}`;
  return name === 'id' ? further : sql`(${further} or ${column} is null)`;
}

/** Whether a list in this order can go on from a place: lists of texts, such as tags, have none. */
export const hasPlaces = (order: Order): boolean => order.every(({ type }) => type !== 'texts');

/** The place as an opaque text for the reader to send back. */
export function cursorAt(order: Order, place: Place): string {
  return Buffer.from(JSON.stringify([spelled(order), ...place])).toString('base64url');
}

/** @throws Refusal INVALID_REQUEST when the cursor is invalid, or belongs to a list in another order. */
export function placeAt(order: Order, cursor: string): Place {
  const parts = readCursor(cursor);
  const [spelling, ...place] = parts ?? [];
  const isPlace = place.every((value) => value === null || typeof value === 'string');
  if (!isPlace || place.length !== order.length || place.at(-1) === null)
    throw refusal('is no `next` of a list');
  if (spelling !== spelled(order))
    throw refusal('is of a list in another order. Send the filter and sort that it came from, or begin anew');
  return place;
}

const spelled = (order: Order) =>
  order.map(({ name, isDescending }) => (isDescending ? `-${name}` : name)).join();

function readCursor(cursor: string): unknown[] | undefined {
  try {
    const parts = parseJson(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parts) ? parts : undefined;
  } catch {
    return undefined;
  }
}

function refusal(message: string): Refusal {
  return new Refusal('INVALID_REQUEST', `In the list request, page.after ${message}.`, {
    details: [{ field: 'page.after', message }],
  });
}
