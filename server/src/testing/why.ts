import type { Schemas } from '@millrace/api';
import { expect } from 'vitest';
import type { App, Caller } from './app.ts';
import { createLine } from './dispatch.ts';
import type { QueueFixture } from './fixtures.ts';
import { pathOf } from './work.ts';

/** Asks why a queue is in its present state. */
export async function whyQueue(call: Caller, { path }: Pick<QueueFixture, 'path'>) {
  const { status, body, error } = await call.explainQueue({ path });
  expect(status, JSON.stringify(error)).toBe(200);
  return checked(body);
}

/** Asks why an item of the queue is in its present state. */
export async function whyItem(call: Caller, queue: QueueFixture, item: Schemas['WorkItem'] | undefined) {
  const { status, body, error } = await call.explainWorkItem({ path: pathOf(queue, item) });
  expect(status, JSON.stringify(error)).toBe(200);
  return checked(body);
}

function checked(explanation: Schemas['Explanation']): Schemas['Explanation'] {
  const { code, sentence, reasons } = explanation;
  expect(reasons[0]).toMatchObject({ code, sentence });
  return explanation;
}

export const codesOf = ({ reasons }: Schemas['Explanation']) => reasons.map(({ code }) => code);

/** One queue whose items go to these devices by one automation. */
export async function createSingleLine(...parameters: Parameters<typeof createLine>) {
  const { pool, lines } = await createLine(...parameters);
  const [{ queue, automation }] = lines as [(typeof lines)[0]];
  return { pool, queue, automation };
}

/** Makes the server believe that ten items of the queue were finished just now, each after this many seconds. */
export async function measureHandling({ sql }: Pick<App, 'sql'>, { id }: QueueFixture, seconds: number) {
  await sql(
    `insert into queue_tallies (queue_id, minute, new, in_progress, complete, failed, deferred, finished_complete,
      finished_failed, handling_ms) values ($1, date_trunc('minute', now()), 0, 0, 0, 0, 0, 10, 0, $2)`,
    [id, 10_000 * seconds],
  );
}

/** Seconds from now until the time at which the explanation expects the start. */
export function secondsUntilStart({ expectedStartOn }: Schemas['Explanation']): number {
  return (Date.parse(expectedStartOn ?? '') - Date.now()) / 1000;
}
