import type { Id } from '@millrace/api';
import { query } from '../connection/query.ts';
import { beginningOf, type Range } from './rules.ts';

// Nobody tells of what is counted by spans: it is asked for now and then.
const refetchInterval = 60_000;

export function historyQuery(id: Id, range: Range) {
  const { from, step } = beginningOf(range, Date.now());
  return { ...query('getQueueHistory', { path: { id }, query: { from, step } }), refetchInterval };
}
