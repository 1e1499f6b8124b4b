import type { Id, Schemas } from '@millrace/api';
import { empty, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { conjunctsOf, onlyCompares, readFilter, type Comparison } from '../../engine/lists/filter.ts';
import type { Field } from '../../engine/lists/values.ts';
import type { Attribute, QueueDefinition } from '../../engine/operation.ts';
import { isMarked } from '../../records/sensitive.rules.ts';
import { areReady, indexedAttributes, keptCharacters, valueColumn } from '../../records/stored.ts';
import { hashedField } from './fields.ts';

type Request = Pick<Schemas['WorkItemListRequest'], 'filter' | 'sort'>;

/** The indexed columns of a queue that a list can use, by their names as fields: `col1` and so on. */
export type IndexedColumns = ReadonlyMap<string, Attribute>;

/** The indexed columns by which a request filters or sorts; none while their values are being written for older items. */
export async function indexedColumnsOf(
  db: Db,
  queue: QueueDefinition,
  { filter, sort }: Request,
): Promise<IndexedColumns> {
  const indexed = indexedAttributes(queue).map((attribute): [string, Attribute] => {
    return [`col${queue.displayColumns.indexOf(attribute.name) + 1}`, attribute];
  });
  const named = new Set<unknown>([
    ...conjunctsOf(filter).map(({ field }) => field),
    ...(sort ?? []).map(({ field }) => field),
  ]);
  const asked = indexed.filter(([name]) => named.has(name));
  return new Map(asked.length > 0 && (await areReady(db, queue.id)) ? asked : []);
}

/** The items that meet the filter's conditions on an indexed column, and perhaps some more. */
export interface Hits {
  /** Rows with the ids of the items. */
  readonly among: Sql;
  readonly count: number;
  /** Whether these are exactly the items that match the whole filter. */
  readonly isExact: boolean;
}

/** The fewest hits of an indexed column; undefined where each has more than `most`. */
export async function fewestHits(
  db: Db,
  queue: QueueDefinition,
  columns: IndexedColumns,
  { filter, most }: { filter: Request['filter']; most: number },
): Promise<Hits | undefined> {
  let fewest: Hits | undefined;
  for (const [name, attribute] of columns) {
    const demands = await demandsOf(db, name, { attribute, queue }, filter);
    if (!demands) continue;
    const { condition, isExact } = demands;
    // Separated by `offset 0`: the planner must not look for the ids in the order of the items.
    const among = sql`
      select item_id as id, null as key from work_item_values v
      where ${ofColumn(queue.id, attribute)} and ${condition} offset 0`;
    const count = await countUpTo(db, among, most);
    if (count <= most && count < (fewest?.count ?? Infinity)) fewest = { among, count, isExact };
  }
  return fewest;
}

const ofColumn = (queueId: Id, { id }: Attribute) =>
  sql`v.queue_id = ${queueId} and v.attribute = ${id}::bigint`;

async function countUpTo(db: Db, rows: Sql, most: number): Promise<number> {
  const row = await db.row<{ count: number }>(sql`
    select count(*)::int as count from (select from (${rows}) r limit ${raw(String(most + 1))}) found`);
  return row?.count ?? 0;
}

interface Demands {
  readonly condition: Sql;
  readonly isExact: boolean;
}

const served = ['eq', 'lt', 'le', 'gt', 'ge', 'startswith'];
const longest = String.fromCodePoint(0x10ffff);

/** The filter's conditions on a column that its index serves; undefined when there are none. */
async function demandsOf(
  db: Db,
  name: string,
  { attribute, queue }: { readonly attribute: Attribute; readonly queue: QueueDefinition },
  filter: Request['filter'],
): Promise<Demands | undefined> {
  const { type } = attribute;
  const isHashed = isMarked(attribute);
  const field = isHashed ? hashedField(queue, attribute, sql`v.${valueColumn.TEXT}`) : fieldOf(type);
  const all = conjunctsOf(filter).filter((one) => one.field === name);
  let operands = all.filter(({ operator, value }) => served.includes(operator) && value !== null);
  // The beginning of a text is a range only in the order of bytes, which not every database has.
  if (operands.some(({ operator }) => operator === 'startswith') && !(await isBytewise(db)))
    operands = operands.filter(({ operator }) => operator !== 'startswith');
  if (operands.length === 0 || !field) return undefined;
  const wider = type === 'TEXT' && !isHashed ? operands.flatMap(widened) : operands;
  const condition = readFilter({ operator: 'and', operands: wider }, { [name]: field });
  const isAll = operands.length === all.length && onlyCompares(filter, name);
  return (
    condition && { condition, isExact: isAll && operands.every((one) => isHashed || isExactFor(type, one)) }
  );
}

function fieldOf(type: Attribute['type']): Field | undefined {
  if (type === 'TEXT') return { column: sql`v.${valueColumn.TEXT}`, type: 'text' };
  if (type === 'NUMBER') return { column: sql`v.${valueColumn.NUMBER}`, type: 'number' };
  return type === 'DATE' ? { column: sql`v.${valueColumn.DATE}`, type: 'time' } : undefined;
}

/** A comparison of a text, widened to its beginning, as only that is kept: it holds wherever the original does. */
function widened({ field, operator, value }: Comparison): Comparison[] {
  const { least, most } = beginningWith(value);
  const compare = (by: string, to = least) => ({ field, operator: by, value: to });
  if (operator === 'startswith') return [compare('ge'), compare('le', most)];
  if (operator === 'lt') return [compare('le')];
  return [compare(operator === 'gt' ? 'ge' : operator)];
}

/** The range of kept texts that begin with a value, in the order of bytes. */
export function beginningWith(value: unknown): { readonly least: string; readonly most: string } {
  const least = [...String(value)].slice(0, keptCharacters).join('');
  return { least, most: least + longest };
}

function isExactFor(type: Attribute['type'], { operator, value }: Comparison): boolean {
  if (type !== 'TEXT') return true;
  return ['eq', 'startswith'].includes(operator) && [...String(value)].length < keptCharacters;
}

/** Whether the database orders texts by their bytes. */
export async function isBytewise(db: Db): Promise<boolean> {
  const row = await db.row<{ is: boolean }>(
    sql`select 'B'::text < 'a'::text and 'a'::text < 'é'::text and '-b'::text < 'a'::text as is`,
  );
  return row?.is ?? false;
}

/**
 * Rows for all items with a value in the column that meets the filter's conditions on it, with the value as `key`; and those without a
 * value.
 */
export async function inOrderOf(
  db: Db,
  queue: QueueDefinition,
  [name, attribute]: readonly [string, Attribute],
  filter: Request['filter'],
): Promise<{ readonly set: Sql; readonly unset: Sql | undefined }> {
  const demands = await demandsOf(db, name, { attribute, queue }, filter);
  const queueId = queue.id;
  const column = valueColumn[attribute.type as keyof typeof valueColumn];
  const set = sql`
    select item_id as id, ${column} as key from work_item_values v
    where ${ofColumn(queueId, attribute)} and ${column} is not null ${demands ? sql`and ${demands.condition}` : empty}`;
  const unset = sql`
    select item_id as id, null as key from work_item_values v
    where ${ofColumn(queueId, attribute)} and text is null and number is null and at is null`;
  return { set, unset: demands ? undefined : unset };
}
