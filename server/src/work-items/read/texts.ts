import type { Id, Schemas } from '@millrace/api';
import { join, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { conjunctsOf, containing, type Comparison } from '../../engine/lists/filter.ts';
import { hasTrigrams } from '../../engine/migrate.ts';
import type { QueueDefinition } from '../../engine/operation.ts';
import { areReady, searchedAttributesOf, searchesAll } from '../../records/stored.ts';
import type { Hits } from './indexed.ts';

type Queue = Pick<QueueDefinition, 'id' | 'attributes' | 'displayColumns' | 'searchedAttributes'>;

/** The limits of a search for texts. */
interface TextBounds {
  /** The most items of the queue to find. */
  readonly most: number;
  /** Three letters that occur in this many texts are too common: the index would take longer than examining items. */
  readonly common: number;
}

/**
 * The items with the texts required by a filter, from the index of their parts; undefined where it requires none, or the index would not
 * find them soon.
 */
export async function textHits(
  db: Db,
  queue: Queue & { readonly size: number },
  filter: Schemas['WorkItemListRequest']['filter'],
  bounds: TextBounds,
): Promise<Hits | undefined> {
  const texts = conjunctsOf(filter).flatMap((one) => textIn(queue, one) ?? []);
  const ids = await idsWith(db, queue, texts, bounds);
  if (!ids) return undefined;
  const among = sql`select h.id, null as key from unnest(${ids}::bigint[]) as h (id)`;
  return { among, count: ids.length, isExact: false };
}

const served = ['eq', 'startswith', 'substring'];

/** The text that must occur in the searched values of items for a comparison to hold. */
function textIn(queue: Queue, { field, operator, value }: Comparison): string | undefined {
  if (typeof value !== 'string' || !served.includes(operator)) return undefined;
  if (field === 'any') return searchesAll(queue) ? value : undefined;
  const column = searchedAttributesOf(queue).find(
    ({ name }) => field === `col${queue.displayColumns.indexOf(name) + 1}`,
  );
  return column?.type === 'TEXT' ? value : undefined;
}

/** The ids of the items with all of some texts, and of those whose texts are too long for the index. */
export async function idsWith(
  db: Db,
  queue: Pick<Queue, 'id' | 'searchedAttributes'> & { readonly size: number },
  texts: readonly string[],
  { most, common }: TextBounds,
): Promise<Id[] | undefined> {
  const parts = partsOf(texts);
  if (queue.searchedAttributes.length === 0 || parts.length === 0) return undefined;
  if (!(await hasTrigrams(db)) || !(await areReady(db, queue.id))) return undefined;
  const rarest = await selectShareOfRarest(db, queue.id, parts);
  if (rarest === undefined || rarest * queue.size > common) return undefined;
  const ids = await selectIds(db, queue.id, texts, most + 1);
  return ids.length > most ? undefined : ids;
}

// Further parts would narrow the search only a little.
const mostParts = 12;

/** The parts of texts in the index: every three consecutive letters or digits. */
function partsOf(texts: readonly string[]): string[] {
  const words = texts.flatMap((text) => text.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? []);
  const parts = words.flatMap((word) => {
    const letters = [...word];
    return letters.slice(2).map((_, index) => letters.slice(index, index + 3).join(''));
  });
  return [...new Set(parts)].slice(0, mostParts);
}

// The number of places for a sample, and of texts at each.
const [probes, each] = [10, 100];

/** The share of texts with the rarest of the parts, from a sample; undefined where the index has none of the parts. */
async function selectShareOfRarest(
  db: Db,
  queueId: Id,
  parts: readonly string[],
): Promise<number | undefined> {
  const end = (direction: string) => sql`(
    select item_id from work_item_texts where queue_id = ${queueId} order by item_id ${raw(direction)} limit 1)`;
  // The index has nothing for characters that the database does not take for letters.
  const counts = parts.map(
    (part) =>
      sql`case when cardinality(show_trgm(${part})) = 4 then count(*) filter (where strpos(t.text, ${part}) > 0) end`,
  );
  const row = await db.row<{ share?: number }>(sql`
    select least(${join(counts)})::float8 / nullif(count(*), 0) as share
    from (select ${end('asc')} as low, ${end('desc')} as high offset 0) span
    cross join generate_series(0, ${raw(String(probes - 1))}) probe
    cross join lateral (
      select lower(coalesce(text, '')) as text from work_item_texts
      where queue_id = ${queueId} and item_id >= span.low + (span.high - span.low) / ${raw(String(probes))} * probe
      order by item_id limit ${raw(String(each))}) t`);
  return row?.share;
}

/** The ids of items with all of some texts, and of those whose texts are too long for the index: any of them, in no order. */
async function selectIds(db: Db, queueId: Id, texts: readonly string[], limit: number): Promise<Id[]> {
  const found = (condition: Sql) => sql`
    (select item_id from work_item_texts where queue_id = ${queueId} and ${condition} limit ${raw(String(limit))})`;
  const all = join(
    texts.map((text) => sql`text ilike ${containing(text)}`),
    ' and ',
  );
  // Only such a plan reads the index: others would read all of the queue. Sent at once, so that no other statement is planned like this.
  const [, row] = await Promise.all([
    plan(db, { enable_bitmapscan: 'on', enable_indexscan: 'off' }),
    db.row<{ ids?: Id[] }>(sql`
      select array_agg(item_id) as ids from (${found(all)} union all ${found(sql`text is null`)}) found`),
    plan(db, { enable_bitmapscan: 'off', enable_indexscan: 'on' }),
  ]);
  return row?.ids ?? [];
}

/** Sets which plans are allowed, until the transaction ends or it is set again. */
function plan(db: Db, settings: Readonly<Record<string, string>>): Promise<void> {
  const set = Object.entries(settings).map(([name, value]) => sql`set_config(${name}, ${value}, true)`);
  return db.write(sql`select ${join(set)}`);
}
