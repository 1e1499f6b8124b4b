import type { Id } from '@millrace/api';
import type { Context } from '../operation.ts';
import type { QueueDefinition } from './rules.ts';
import { selectQueueDefinition } from './sql.ts';

/** A queue as operations on its items need it, kept from being deleted until the transaction ends. */
export function holdQueue({ db }: Pick<Context, 'db'>, id: Id): Promise<QueueDefinition | undefined> {
  return selectQueueDefinition(db, id, 'kept');
}

/** The same without waiting: undefined also while a change keeps all out who write its items, which may take long. */
export function holdQueueAtOnce({ db }: Pick<Context, 'db'>, id: Id): Promise<QueueDefinition | undefined> {
  return selectQueueDefinition(db, id, 'keptAtOnce');
}
