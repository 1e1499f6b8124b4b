import type { Id } from '@millrace/api';
import { query } from '../connection/query.ts';
import { marked } from './marks.ts';
import { beginningOf, type Range } from './rules.ts';

// No event tells of counts by span: they are asked for now and then.
const refetchInterval = 60_000;

export function historyQuery(id: Id, range: Range) {
  const { from, step } = beginningOf(range, Date.now());
  return { ...query('getQueueHistory', { path: { id }, query: { from, step } }), refetchInterval };
}

// More marks than these nobody tells apart in a chart.
const mostMarks = 100;

/** The changes of a queue since a time, the newest first: only its own events are read, however many its items have. */
export function marksQuery(queueId: Id, from: string) {
  const asked = { queueId, itemId: 0, operation: marked.join(','), from, before: 'now', limit: mostMarks };
  return { ...query('listEvents', { query: asked }), refetchInterval };
}
