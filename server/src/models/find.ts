import type { Id } from '@millrace/api';
import type { Context } from '../operation.ts';
import { selectModel, type StoredModel } from './sql.ts';

/** A model of the caller's tenant, if there is one of this id. */
export function findModel(
  { db, actor }: Pick<Context, 'db' | 'actor'>,
  id: Id,
): Promise<StoredModel | undefined> {
  return selectModel(db, actor.tenantId, id);
}
