import { narrowStatements } from './narrow.ts';
import { codeOf, type Shape } from './tables.ts';

/**
 * `array`: rows are named by `id = ANY (array)`, which always becomes an index condition.
 * `join`: rows are named by a join, which leaves the planner free to scan a whole index for each of them.
 */
export type Style = 'array' | 'join';

export interface Statements {
  create: string;
  claim: string;
  claimFrom: string;
  heartbeat: string;
  heartbeatDirect: string;
  finish: string;
  sweep: string;
}

const when = (condition: boolean, text: string): string => (condition ? text : '');
const held = 'ANY (ARRAY(SELECT id FROM held))';

const log = (shape: Shape, [operation, from, to]: readonly string[], source: string): string => `
  logged AS (INSERT INTO events (queue_id, item_id, operation, actor_id, from_status, to_status
      ${when(shape.feed === 'tenant', ', tenant_id')})
    SELECT $1, id, '${operation}', 7, ${from}, ${to}
      ${when(shape.feed === 'tenant', ', (SELECT q.tenant_id FROM queues q WHERE q.id = $1)')} FROM ${source})`;

function create(shape: Shape): string {
  const same = shape.payload === 'same';
  return `
    WITH input AS MATERIALIZED (
      SELECT nextval('work_items_id_seq') AS id, x.json, x.priority,
             set_byte('\\x00'::bytea, 0, x.priority) ||
             int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) AS sort_key
        FROM unnest($2::${shape.json}[], $3::smallint[]) AS x(json, priority)),
    items AS (
      INSERT INTO work_items (queue_id, id, status, priority, sort_key, created_by, updated_by
             ${when(same, ', json')})
      SELECT $1, id, ${codeOf(shape, 'NEW')}, priority, sort_key, 7, 7 ${when(same, ', json')} FROM input
      RETURNING id),
    ${when(!same, 'data AS (INSERT INTO work_item_data (queue_id, item_id, json) SELECT $1, id, json FROM input),')}
    ${log(shape, ['CREATE', 'NULL', `'NEW'`], 'input')}
    SELECT id FROM items`;
}

function claim(shape: Shape, style: Style, bound: string): string {
  const same = shape.payload === 'same';
  const apart = shape.lease === 'apart';
  const expires = `clock_timestamp() + interval '60 s'`;
  const named =
    style === 'array'
      ? 'WHERE w.queue_id = $1 AND w.id = ANY (ARRAY(SELECT id FROM picked))'
      : `FROM picked p WHERE w.queue_id = $1 AND w.id = p.id AND w.status = ${codeOf(shape, 'NEW')}`;
  const joined = `CROSS JOIN LATERAL (SELECT json FROM work_item_data
    WHERE queue_id = $1 AND item_id = g.id ${when(style === 'array', 'OFFSET 0')}) d`;
  return `
    WITH picked AS MATERIALIZED (
      SELECT id FROM work_items
       WHERE queue_id = $1 AND status = ${codeOf(shape, 'NEW')} AND not_before IS NULL ${bound}
       ORDER BY sort_key, id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED),
    got AS (
      UPDATE work_items w SET status = ${codeOf(shape, 'IN_PROGRESS')}, version = w.version + 1, claimed_by = $3,
             device_id = 9, started_on = now(), updated_on = now(), updated_by = $3
             ${when(!apart, `, lease_expires_on = ${expires}`)}
      ${named}
      RETURNING w.id, w.version, w.sort_key, w.priority, w.retry_count ${when(same, ', w.json')}),
    ${when(apart, `leased AS (INSERT INTO leases SELECT $1, id, ${expires}, $3, 9 FROM got),`)}
    ${log(shape, ['CLAIM', `'NEW'`, `'IN_PROGRESS'`], 'got')}
    SELECT g.* ${when(!same, ', d.json')} FROM got g ${when(!same, joined)} ORDER BY g.sort_key, g.id`;
}

function heartbeat(shape: Shape, style: Style | 'direct'): string {
  const apart = shape.lease === 'apart';
  const [table, key, column] = apart
    ? ['leases', 'item_id', 'expires_on']
    : ['work_items', 'id', 'lease_expires_on'];
  const guard = `status = ${codeOf(shape, 'IN_PROGRESS')}`;
  const update = `UPDATE ${table} w SET ${column} = clock_timestamp() + interval '60 s'`;
  switch (style) {
    case 'direct':
      return `${update} WHERE w.queue_id = $1 AND w.${key} = ANY ($2::bigint[]) ${when(!apart, `AND w.${guard}`)}`;
    case 'array':
      return `
        WITH held AS MATERIALIZED (
          SELECT w.${key} AS id ${when(!apart, ', w.status')} FROM ${table} w
           WHERE w.queue_id = $1 AND w.${key} = ANY ($2::bigint[]) ORDER BY w.${key} FOR NO KEY UPDATE)
        ${update} WHERE w.queue_id = $1
           AND w.${key} = ANY (ARRAY(SELECT id FROM held ${when(!apart, `WHERE ${guard}`)}))`;
    case 'join':
      return `
        WITH held AS MATERIALIZED (
          SELECT w.${key} AS id FROM unnest($2::bigint[]) AS x(id)
            JOIN ${table} w ON w.queue_id = $1 AND w.${key} = x.id ${when(!apart, `AND w.${guard}`)}
           ORDER BY w.${key} FOR NO KEY UPDATE OF w)
        ${update} FROM held h WHERE w.queue_id = $1 AND w.${key} = h.id ${when(!apart, `AND w.${guard}`)}`;
  }
}

const isInItem = ({ output, payload }: Shape): boolean =>
  output === 'item' || (output === 'same' && payload === 'same');

function writeOutput(shape: Shape): string {
  if (shape.output === 'none' || isInItem(shape)) return '';
  return shape.output === 'apart'
    ? ', written AS (INSERT INTO work_item_results SELECT $1, id, output FROM held)'
    : `, written AS (UPDATE work_item_data d SET output = ($4::${shape.json}[])[array_position($2, d.item_id)]
         WHERE d.queue_id = $1 AND d.item_id = ${held})`;
}

function finish(shape: Shape, style: Style): string {
  const array = style === 'array';
  const apart = shape.lease === 'apart';
  const inFlight = `status = ${codeOf(shape, 'IN_PROGRESS')}`;
  const from = array
    ? 'FROM work_items w WHERE w.queue_id = $1 AND w.id = ANY ($2::bigint[])'
    : `FROM unnest($2::bigint[]) AS x(id) JOIN work_items w ON w.queue_id = $1 AND w.id = x.id AND w.${inFlight}`;
  return `
    WITH found AS MATERIALIZED (
      SELECT w.id, w.status, w.version ${from} ORDER BY w.id FOR NO KEY UPDATE OF w),
    held AS MATERIALIZED (
      SELECT f.id, x.output FROM found f
        JOIN unnest($2::bigint[], $3::int[], $4::${shape.json}[]) AS x(id, version, output) ON x.id = f.id
       WHERE f.${inFlight} AND f.version = x.version),
    done AS (
      UPDATE work_items w SET status = ($5::${shape.status}[])[array_position($2, w.id)],
             version = w.version + 1, ended_on = now(), updated_on = now()
             ${when(!apart, ', lease_expires_on = NULL')}
             ${when(isInItem(shape), `, output = ($4::${shape.json}[])[array_position($2, w.id)]`)}
      ${when(!array, 'FROM held h')} WHERE w.queue_id = $1
        AND ${array ? `w.id = ${held}` : `w.id = h.id AND w.${inFlight}`}
      RETURNING w.id, w.version)
    ${when(apart, `, freed AS (DELETE FROM leases WHERE queue_id = $1 AND item_id = ${held})`)}
    ${writeOutput(shape)}, ${log(shape, ['FINISH', `'IN_PROGRESS'`, `'COMPLETED'`], 'done')}
    SELECT id, version FROM done`;
}

export function finishValues(
  shape: Shape,
  got: readonly { id: string; version: number }[],
  output?: string,
): unknown[] {
  const status = shape.status === 'text' ? 'COMPLETED' : 2;
  return [
    1,
    got.map((item) => item.id),
    got.map((item) => item.version),
    got.map(() => output ?? null),
    got.map(() => status),
  ];
}

export function statements(shape: Shape, style: Style = 'array'): Statements {
  if (shape.state === 'narrow') return narrowStatements(shape.journal);
  return {
    create: create(shape),
    claim: claim(shape, style, ''),
    claimFrom: claim(shape, style, 'AND (sort_key, id) >= ($4, $5)'),
    heartbeat: heartbeat(shape, style),
    heartbeatDirect: heartbeat(shape, 'direct'),
    finish: finish(shape, style),
    sweep:
      shape.lease === 'apart'
        ? 'SELECT queue_id, item_id AS id FROM leases WHERE expires_on < clock_timestamp() LIMIT 100'
        : `SELECT queue_id, id FROM work_items
            WHERE status = ${codeOf(shape, 'IN_PROGRESS')} AND lease_expires_on < clock_timestamp() LIMIT 100`,
  };
}
