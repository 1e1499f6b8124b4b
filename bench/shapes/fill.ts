import type pg from 'pg';

/** Fills a queue straight from SQL, in three priorities. */
export async function fill(client: pg.Client, count: number, status: string, payload = '{}'): Promise<void> {
  await client.query(`
    WITH input AS MATERIALIZED (
      SELECT nextval('work_items_id_seq') AS id, n FROM generate_series(1, ${count}) AS n),
    items AS (
      INSERT INTO work_items (queue_id, id, status, priority, sort_key, created_by, updated_by)
      SELECT 1, id, '${status}', n % 3, set_byte('\\x00'::bytea, 0, n % 3) || int8send(1700000000000 + n), 7, 7
        FROM input)
    INSERT INTO work_item_data (queue_id, item_id, json) SELECT 1, id, '${payload}'::json FROM input`);
}
