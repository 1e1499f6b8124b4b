import { join, raw, sql, type Sql } from '../engine/db.ts';

/** The members of an event in its canonical form, in order; docs/audit.md promises them to the byte. */
const members: readonly (readonly [string, string])[] = [
  ['id', 'e.id::text'],
  ['on', `to_json(to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text`],
  ['operation', 'to_json(e.operation)::text'],
  ['actorId', 'e.actor_id::text'],
  ['queueId', 'nullif(e.queue_id, 0)::text'],
  ['itemId', 'nullif(e.item_id, 0)::text'],
  ['deviceId', 'e.device_id::text'],
  ['batchId', 'e.batch_id::text'],
  ['from', 'to_json(e.from_status)::text'],
  ['to', 'to_json(e.to_status)::text'],
  ['reason', 'to_json(e.reason)::text'],
  // Outside of texts, line breaks in JSON are only white space.
  ['changes', "translate(e.changes::text, E'\\t\\n\\r', '   ')"],
];

const parts = members.map(([name, value]) => raw(`'"${name}":' || coalesce(${value}, 'null')`));

/**
 * An event as one line of JSON that never changes, as SQL over a row `e` of the events; all of its contents, without its place in the feed.
 */
export const canonicalEvent: Sql = sql`('{' || ${join(parts, " || ',' || ")} || '}')`;

/** The SHA-256 of an event, as SQL over a row `e` of the events. */
export const eventHash: Sql = sql`sha256(convert_to(${canonicalEvent}, 'UTF8'))`;
