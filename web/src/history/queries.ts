import type { Id } from '@millrace/api';
import { query } from '../connection/query.ts';
import { beginningOf, type Range } from './rules.ts';

// No event tells of counts by span: they are asked for now and then.
const refetchInterval = 60_000;

export function historyQuery(id: Id, range: Range) {
  const { from, step } = beginningOf(range, Date.now());
  return { ...query('getQueueHistory', { path: { id }, query: { from, step } }), refetchInterval };
}
