import { statuses, type Id, type Status } from '@millrace/api';
import { sql, type Db } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import {
  authorOf,
  type Author,
  type QueueContext,
  type QueueDefinition,
  type QueueOperation,
} from '../engine/operation.ts';
import { automationsOf, namesOfAutomations, type NamedAutomation } from '../fleet/pools/pools.ts';
import { selectTotals } from '../journal/counters.ts';
import { recordOfQueue } from '../journal/journal.ts';
import { answerQueue } from './find.ts';
import { changedBy, lockOutWriters, pausedNow } from './sql.ts';

export const archiveQueue: QueueOperation<'archiveQueue'> = async (context, { body }) => {
  const { db, queue } = context;
  if (!queue.archived) {
    await withoutWriters(context, decideArchiving);
    const { reason } = body ?? {};
    await archiveQueueRow(db, queue.id, reason ?? 'archived', authorOf(context));
    await recordOfQueue(context, queue.id, { operation: 'archiveQueue', reason });
  }
  return answerQueue(context, queue.id);
};

export const restoreQueue: QueueOperation<'restoreQueue'> = async (context, { body }) => {
  const { db, queue } = context;
  if (queue.archived) {
    await restoreQueueRow(db, queue.id, authorOf(context));
    await recordOfQueue(context, queue.id, { operation: 'restoreQueue', reason: body?.reason });
  }
  return answerQueue(context, queue.id);
};

export const deleteQueue: QueueOperation<'deleteQueue'> = async (context) => {
  const { db, queue, now } = context;
  // A call that creates an automation of the queue waits for the end of this transaction.
  const automations = await automationsOf(db, queue.id);
  await withoutWriters(context, (_, counts) => decideDeletion(queue, counts, automations));
  // Before the row is deleted, which names the tenant.
  await recordOfQueue(context, queue.id, { operation: 'deleteQueue', changes: { name: queue.name } });
  await deleteQueueRow(db, queue.id, now);
};

/** Decides by the items of the queue, and again when no more can be added. @throws the refusal */
async function withoutWriters(
  { db, queue, now }: QueueContext,
  decide: typeof decideArchiving,
): Promise<void> {
  const refuse = async () => {
    const { counts } = await selectTotals(db, queue.id, now);
    const refusal = decide(queue, counts);
    if (refusal) throw refusal;
  };
  // First without locking writers out: a busy queue would be held up for a call that is refused after all.
  await refuse();
  await lockOutWriters(db, queue.id);
  await refuse();
}

/** Deletes a queue without items, with everything that belongs to it; its events stay, and the model for reading them. */
async function deleteQueueRow(db: Db, id: Id, now: Date): Promise<void> {
  await db.rows(sql`
    insert into deleted_queues (id, tenant_id, model_id, name, attributes, model_version, deleted_on, rekey_after)
    select id, tenant_id, model_id, name, attributes, model_version, ${now}, case when rekey_after is not null then 0 end
    from queues where id = ${id}`);
  await db.rows(sql`
    with t as (delete from queue_tallies where queue_id = ${id}),
      h as (delete from work_item_hashes where queue_id = ${id}),
      p as (delete from queue_history where queue_id = ${id}),
      v as (delete from work_item_values where queue_id = ${id}),
      x as (delete from work_item_texts where queue_id = ${id})
    delete from queues where id = ${id}`);
}

/** Archives a queue: it grants nothing, and only a person resumes it. */
async function archiveQueueRow(db: Db, id: Id, reason: string, author: Author): Promise<void> {
  await db.rows(sql`
    update queues set status = 'INACTIVE', archived_on = ${author.now}, ${pausedNow({ reason }, author)},
      ${changedBy(author)}
    where id = ${id}`);
}

async function restoreQueueRow(db: Db, id: Id, author: Author): Promise<void> {
  await db.rows(sql`update queues set archived_on = null, ${changedBy(author)} where id = ${id}`);
}

type Counts = Readonly<Record<Status, number>>;

/** The reason why a queue with these items cannot be archived. */
export function decideArchiving({ id }: Pick<QueueDefinition, 'id'>, counts: Counts): Refusal | undefined {
  const running = counts.IN_PROGRESS;
  if (running === 0) return undefined;
  return new Refusal(
    'IN_USE',
    `${running === 1 ? 'One item' : `${running} items`} of queue ${id} ${running === 1 ? 'is' : 'are'} in progress. ` +
      `Pause the queue (POST /v4/wlm/queues/${id}/pause), and archive it when they are done.`,
  );
}

/** The reason why a queue with these items and automations cannot be deleted: everything that holds it, at once. */
export function decideDeletion(
  { id }: Pick<QueueDefinition, 'id'>,
  counts: Counts,
  automations: readonly NamedAutomation[],
): Refusal | undefined {
  const held = statuses.flatMap((status) => (counts[status] > 0 ? [{ status, count: counts[status] }] : []));
  const total = held.reduce((sum, { count }) => sum + count, 0);
  const parts = held.map(({ status, count }) => `${count} ${status}`).join(', ');
  const holds = [
    ...(total > 0 ? [`holds ${itemsInWords(total)} (${parts})`] : []),
    ...(automations.length > 0 ? [`has the ${namesOfAutomations(automations)}`] : []),
  ];
  if (holds.length === 0) return undefined;
  const details = [
    ...held.map(({ status, count }) => ({ field: status, message: itemsInWords(count) })),
    ...automations.map(({ id: automation, name }) => ({
      field: 'automation',
      message: `${automation} "${name}"`,
    })),
  ];
  const them = total === 0 && automations.length === 1 ? 'it' : 'them';
  return new Refusal(
    'IN_USE',
    `Queue ${id} ${holds.join(', and ')}. Delete ${them} first, or archive the queue with all that it holds: ` +
      `POST /v4/wlm/queues/${id}/archive.`,
    { details },
  );
}

function itemsInWords(count: number): string {
  return count === 1 ? '1 item' : `${count} items`;
}
