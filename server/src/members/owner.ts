import type { Id } from '@millrace/api';
import type { Context } from '../operation.ts';
import { saveMember } from './sql.ts';

/** Makes the caller the owner of a queue. */
export function makeOwner({ db, actor }: Context, queueId: Id): Promise<void> {
  return saveMember(db, queueId, actor.id, 'OWNER');
}
