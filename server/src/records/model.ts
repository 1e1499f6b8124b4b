import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import type { Attribute, Context } from '../engine/operation.ts';

type Where = Pick<Context, 'db' | 'actor'>;

/** A model of the caller's tenant, if there is one of this id; locked against changes until the transaction ends. */
export function findModel({ db, actor }: Where, id: Id): Promise<StoredModel | undefined> {
  return selectModel(db, sql`m.tenant_id = ${actor.tenantId}`, id, 'kept');
}

/**
 * A model of the caller's tenant.
 * @param scope a condition for the models that the caller may see; all of them for operations whose callers see all.
 * @throws Refusal NOT_FOUND when there is none of this id, in the same words when it may not be seen
 */
export async function readModel(
  { db, actor }: Where,
  id: Id,
  { hold = 'none', scope = raw('true') }: { hold?: 'none' | 'changed'; scope?: Sql } = {},
): Promise<StoredModel> {
  const model = await selectModel(db, sql`m.tenant_id = ${actor.tenantId} and ${scope}`, id, hold);
  if (model) return model;
  throw new Refusal(
    'NOT_FOUND',
    `There is no work item model ${id} for you. POST /v4/wlm/workitemmodels/list lists those.`,
  );
}

export const modelColumns =
  raw(`m.id, m.name, m.version, m.tenant_id as "tenantId", t.uuid as "tenantUuid", m.attributes,
  m.archived_on is not null as archived, m.created_by as "createdBy", m.created_on as "createdOn",
  m.updated_by as "updatedBy", m.updated_on as "updatedOn"`);

/** A model as stored: complete, with complete attributes. */
export type StoredModel = Omit<Schemas['WorkItemModel'], 'attributes'> &
  Required<Pick<Schemas['WorkItemModel'], 'id' | 'name' | 'version' | 'createdBy' | 'archived'>> & {
    attributes: StoredAttribute[];
  };

export type StoredAttribute = Attribute & { id: Id };

/** The lock of a transaction on a model. */
const lockByHold = {
  none: raw(''),
  /** It does not change. */
  kept: raw('for share of m'),
  /** Nobody else changes it, or creates a queue for it. */
  changed: raw('for update of m'),
};

function selectModel(
  db: Db,
  scope: Sql,
  id: Id,
  hold: keyof typeof lockByHold,
): Promise<StoredModel | undefined> {
  return db.row(sql`
    select ${modelColumns} from work_item_models m join tenants t on t.id = m.tenant_id
    where m.id = ${id} and ${scope} ${lockByHold[hold]}`);
}
