/** Deleted queues: their events are read, sealed and erased by the model that they had. */
import { stringifyJson, type Id } from '@millrace/api';
import { sql, type Db } from '../engine/db.ts';
import type { Context } from '../engine/operation.ts';
import type { ModelNames } from '../records/record.ts';
import type { Sealing } from '../records/sealed.ts';

/** A deleted queue, with the members that its events need. */
export type DeletedQueue = Sealing & {
  readonly tenantId: Id;
  /** The last item whose events follow the model; undefined when all do. */
  readonly after?: Id | undefined;
};

type Where = Pick<Context, 'db' | 'vault'>;

const columns = sql`id, tenant_id as "tenantId", attributes, model_version as "modelVersion", '{}'::text[] as "displayColumns",
  rekey_after as after`;

/** A deleted queue of a tenant, locked until the transaction ends. */
export async function findDeletedQueue(
  where: Where,
  tenantId: Id,
  id: Id,
): Promise<DeletedQueue | undefined> {
  const row = await where.db.row<DeletedQueue>(sql`
    select ${columns} from deleted_queues where tenant_id = ${tenantId} and id = ${id} for no key update`);
  return row && withSealer(where, row);
}

/** A queue whose events have yet to follow its model, locked; those on which another server works are skipped. */
export async function lockBehind(where: Where): Promise<DeletedQueue | undefined> {
  const row = await where.db.row<DeletedQueue>(sql`
    select ${columns} from deleted_queues where rekey_after is not null order by id limit 1 for no key update skip locked`);
  return row && withSealer(where, row);
}

async function withSealer({ db, vault }: Where, queue: DeletedQueue): Promise<DeletedQueue> {
  return { ...queue, sealer: await vault.sealerOf(db, queue.tenantId) };
}

/** Stores the item up to which the events of a deleted queue follow its model; undefined for all. */
export async function saveBehind(db: Db, id: Id, after: Id | undefined): Promise<void> {
  await db.rows(sql`update deleted_queues set rekey_after = ${after ?? null} where id = ${id}`);
}

/** Gives the deleted queues of a model its next version. @param isRemarking whether some values have to be sealed now, or opened */
export async function followModel(
  db: Db,
  modelId: Id,
  { attributes, modelVersion }: Pick<ModelNames, 'attributes' | 'modelVersion'>,
  isRemarking: boolean,
): Promise<void> {
  await db.rows(sql`
    update deleted_queues set attributes = ${stringifyJson(attributes)}, model_version = ${modelVersion},
      rekey_after = case when ${isRemarking} then 0 else rekey_after end
    where model_id = ${modelId}`);
}

/** Has the events of a tenant's deleted queues with sensitive attributes encrypted again. */
export async function reorderDeletedQueues(db: Db, tenantId: Id): Promise<void> {
  await db.rows(sql`
    update deleted_queues q set rekey_after = 0 where tenant_id = ${tenantId} and exists (
      select from json_array_elements(q.attributes) a where a ->> 'sensitivity' is not null)`);
}
