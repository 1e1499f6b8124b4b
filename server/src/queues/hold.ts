import type { Id } from '@millrace/api';
import type { Context } from '../operation.ts';
import type { QueueDefinition } from './rules.ts';
import { selectQueueDefinition } from './sql.ts';

/**
 * A queue as grants to devices need it, kept from being deleted until the transaction ends. Nobody is waited for: undefined also
 * while a change keeps all out who write its items, which may take long.
 */
export function holdQueueAtOnce({ db }: Pick<Context, 'db'>, id: Id): Promise<QueueDefinition | undefined> {
  return selectQueueDefinition(db, id, 'keptAtOnce');
}
