import type { Id } from '@millrace/api';
import { Refusal } from '../errors.ts';
import type { Context } from '../operation.ts';
import { selectModel, type StoredModel } from './sql.ts';

type Where = Pick<Context, 'db' | 'actor'>;

/** A model of the caller's tenant, if there is one of this id; nobody changes it until the transaction ends. */
export function findModel({ db, actor }: Where, id: Id): Promise<StoredModel | undefined> {
  return selectModel(db, actor.tenantId, id, 'kept');
}

/** A model of the caller's tenant. @throws Refusal NOT_FOUND when there is none of this id. */
export async function readModel(
  { db, actor }: Where,
  id: Id,
  hold: 'none' | 'changed' = 'none',
): Promise<StoredModel> {
  const model = await selectModel(db, actor.tenantId, id, hold);
  if (model) return model;
  throw new Refusal(
    'NOT_FOUND',
    `There is no work item model ${id}. POST /v4/wlm/workitemmodels/list lists all.`,
  );
}
