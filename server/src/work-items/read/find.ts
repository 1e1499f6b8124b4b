import { statuses, type Id, type Schemas } from '@millrace/api';
import { seenBy } from '../../access/members/membership.ts';
import { join, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { containing } from '../../engine/lists/filter.ts';
import type { Actor, Attribute, PlainOperation } from '../../engine/operation.ts';
import { askedTogether, statementsAtOnce } from '../../engine/portions.ts';
import { selectTotals } from '../../journal/counters.ts';
import { hiddenNames, isMarked, namesEver } from '../../records/sensitive.rules.ts';
import { beginningWith, isBytewise } from './indexed.ts';
import { dataOf, sumOf } from './source.ts';
import { idsWith } from './texts.ts';

type FoundItem = Schemas['FoundWorkItem'];

const usualLimit = 20;

/** The limits of a search. */
interface SearchBounds {
  /** The newest items examined without an index of their texts, over all queues together. */
  readonly newest: number;
  /** The least of these for each queue, however many queues there are. */
  readonly least: number;
  /** No further queue is searched after this time. */
  readonly budgetMs: number;
}

const bounds: SearchBounds = { newest: 2000, least: 20, budgetMs: 1000 };

/** @param limits the limits of a search. */
export const findWithin =
  ({ newest, least, budgetMs }: SearchBounds): PlainOperation<'findWorkItems'> =>
  async ({ db, actor, now }, { body: { text, limit = usualLimit } }) => {
    const queues = await selectQueues(db, actor);
    const each = Math.max(least, Math.floor(newest / Math.max(queues.length, 1)));
    const search = { text: text.trim(), most: limit + 1, each, now, isBytewise: await isBytewise(db) };
    const endsAt = performance.now() + budgetMs;
    const matches: Match[] = [];
    let searched = 0;
    while (searched < queues.length && performance.now() <= endsAt) {
      const next = queues.slice(searched, searched + statementsAtOnce);
      matches.push(...(await Promise.all(next.map((queue) => searchQueue(db, queue, search)))).flat());
      searched += next.length;
    }
    const isPartial = searched < queues.length;
    const found = matches.filter(({ way }) => way !== 'more');
    const best = firstOf(found).toSorted(byWay);
    return {
      list: await readFound(db, best.slice(0, limit)),
      isCut: best.length > limit,
      isPartial: isPartial || matches.length > found.length,
    };
  };

export const findWorkItems = findWithin(bounds);

/** A queue to search. */
interface Queue {
  readonly id: Id;
  readonly name: string;
  readonly displayColumns: readonly string[];
  readonly indexedColumns: readonly string[];
  readonly searchedAttributes: readonly string[];
  readonly attributes: readonly Attribute[];
  /** Whether all of its items have their values in the index. */
  readonly isReady: boolean;
}

/** The way in which an item was found, the best first; `more` stands for items that were not examined. */
const ways = ['id', 'equal', 'beginning', 'part', 'more'] as const;

interface Found {
  readonly id: Id;
  readonly way: (typeof ways)[number];
  readonly field: string;
  readonly value: string;
}

type Match = Found & { readonly queue: Queue };

/** Each item once, by the best way in which it was found. */
function firstOf(matches: readonly Match[]): Match[] {
  const known = new Map<Id, Match>();
  for (const match of matches.toSorted(byWay)) if (!known.has(match.id)) known.set(match.id, match);
  return [...known.values()];
}

function byWay(one: Match, other: Match): number {
  const steps = ways.indexOf(one.way) - ways.indexOf(other.way);
  if (steps !== 0) return steps;
  return one.id > other.id ? -1 : 1;
}

/** All queues that the caller may see, including archived ones, newest first. */
function selectQueues(db: Db, actor: Actor): Promise<Queue[]> {
  return db.rows(sql`
    select q.id, q.name, q.display_columns as "displayColumns", q.indexed_columns as "indexedColumns",
      q.searched_attributes as "searchedAttributes", q.attributes, q.rekey_after is null as "isReady"
    from queues q where ${seenBy(actor)} order by q.id desc`);
}

interface Search {
  readonly text: string;
  /** The most items to find in each way. */
  readonly most: number;
  /** The newest items to examine. */
  readonly each: number;
  readonly isBytewise: boolean;
  readonly now: Date;
}

/** One statement for each queue, since the items of another one may be on another machine. */
async function searchQueue(db: Db, queue: Queue, search: Search): Promise<Match[]> {
  const known = await newestWithPart(db, queue, search);
  const parts = [...byId(queue, search), ...byBeginning(queue, search), ...byPart(queue, search, known)];
  const found = await db.rows<Found>(
    sql`select f.* from (${join(parts, ' union all ')}) as f (id, way, field, value)`,
  );
  return found.map((one) => ({ ...one, queue }));
}

// As many as in a list: with more, the newest items have enough of them.
const textBounds = { most: 20_000, common: 100_000 };

/** The newest items of a queue with the text in a searched attribute, if its index can tell. */
async function newestWithPart(db: Db, queue: Queue, { text, each, now }: Search): Promise<Id[]> {
  if (queue.searchedAttributes.length === 0) return [];
  const { counts } = await selectTotals(db, queue.id, now);
  const size = sumOf(counts, statuses);
  const ids = (await idsWith(db, { ...queue, size }, [text], textBounds)) ?? [];
  return ids.toSorted((one, other) => (one > other ? -1 : 1)).slice(0, each);
}

function byId({ id }: Queue, { text }: Search): Sql[] {
  if (!/^\d{1,18}$/.test(text)) return [];
  return [
    sql`
    (select i.id, 'id', 'id', i.id::text
     from work_items i where i.queue_id = ${id} and i.id = ${text}::bigint)`,
  ];
}

/** Values of indexed columns that begin with the text as written, or in upper or lower case. */
function byBeginning({ id: queueId, isReady, attributes, indexedColumns }: Queue, search: Search): Sql[] {
  if (!isReady) return [];
  const { text, most: limit, isBytewise: isRange } = search;
  const spellings = new Set([text, text.toUpperCase(), text.toLowerCase()]);
  // In place of a sensitive value the index has its hash.
  const columns = attributes.filter(
    (one) => one.type === 'TEXT' && indexedColumns.includes(one.name) && !isMarked(one),
  );
  return columns.flatMap(({ id, name }) =>
    [...spellings].map((spelling) => {
      const { least, most } = beginningWith(spelling);
      return sql`
        (select v.item_id, case when v.text = ${least} then 'equal' else 'beginning' end, ${name}::text, v.text
         from work_item_values v where v.queue_id = ${queueId} and v.attribute = ${id ?? 0}::bigint
           and v.text >= ${least} and v.text <= ${isRange ? most : least}
         order by v.text, v.item_id limit ${raw(String(limit))})`;
    }),
  );
}

/**
 * The newest items, and the known ones, with the text in a display column or a tag; and whether there are more items than were examined.
 */
function byPart(queue: Queue, { text, most, each }: Search, known: readonly Id[]): Sql[] {
  const { id } = queue;
  const names = namesOf(queue);
  const newest = sql`
    (select i.id, i.tags from work_items i where i.queue_id = ${id} order by i.id desc limit ${raw(String(each))})
    union (select i.id, i.tags from work_items i where i.queue_id = ${id} and i.id = any(${known}::bigint[]))`;
  return [
    sql`
    (select i.id, 'part', m.field, left(m.value, 256) from (${newest}) i ${dataOf(id)}
     cross join lateral (
       select t.field, t.value from (
         select name as field, d.json ->> name as value from unnest(${names}::text[]) name
           where json_typeof(d.json -> name) is distinct from 'object'
         union all select 'tags', tag from unnest(i.tags) tag) t
       where t.value ilike ${containing(text)} limit 1) m
     order by i.id desc limit ${raw(String(most))})`,
    sql`
    (select i.id, 'more', '', '' from work_items i where i.queue_id = ${id} order by i.id desc offset ${each} limit 1)`,
  ];
}

/**
 * All names of the display columns in records, without sensitive ones, whose values are excluded from searches. Until all are encrypted,
 * values of a marked attribute may lie under a name that belongs to another one by now.
 */
function namesOf({ isReady, attributes, displayColumns }: Queue): string[] {
  const hidden = isReady ? new Set<string>() : hiddenNames(attributes);
  const shown = attributes.filter((one) => displayColumns.includes(one.name) && !isMarked(one));
  return [...new Set(shown.flatMap(namesEver))].filter((name) => !hidden.has(name));
}

type State = Pick<FoundItem, 'id' | 'version' | 'status' | 'createdOn' | 'endedOn'>;

/** The present state of the items; those deleted meanwhile are left out. */
async function readFound(db: Db, matches: readonly Match[]): Promise<FoundItem[]> {
  const states = new Map<Id, State>();
  const queues = [...new Set(matches.map((match) => match.queue))];
  const found = await askedTogether(queues, (queue) => {
    const ids = matches.filter((match) => match.queue === queue).map(({ id }) => id);
    return selectStates(db, queue.id, ids);
  });
  for (const state of found.flat()) states.set(state.id, state);
  return matches.flatMap(({ id, queue, field, value }) => {
    const state = states.get(id);
    return state ? [{ queueId: queue.id, queueName: queue.name, ...state, field, value }] : [];
  });
}

function selectStates(db: Db, queueId: Id, ids: readonly Id[]): Promise<State[]> {
  return db.rows(sql`
    select i.id, i.version, i.status, i.created_on as "createdOn", i.ended_on as "endedOn"
    from work_items i where i.queue_id = ${queueId} and i.id = any(${ids}::bigint[])`);
}
