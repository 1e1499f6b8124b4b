import type { Id, Schemas } from '@millrace/api';
import { call } from '../connection/client.ts';
import { query, queryClient, read } from '../connection/query.ts';
import { devicesQuery, poolsQuery } from '../devices/queries.ts';
import { queuesQuery } from '../queues/queries.ts';
import { doubtsIn, merged } from './rules.ts';

const most = 1000;
// What the stream does not tell, such as that time goes on.
const refetchInterval = 15_000;
const whyInterval = 5000;

export function statsQuery() {
  return { ...query('listQueueStats', { body: { page: { length: most } } }), refetchInterval };
}

/** The queues with their states, which people change now and then. */
export function statesQuery() {
  return { ...queuesQuery(), refetchInterval: whyInterval };
}

export function doubtsQuery() {
  return { ...query('listDoubts', { query: { limit: 1000 } }), refetchInterval: whyInterval };
}

export function whyQuery(id: Id) {
  return { ...query('explainQueue', { path: { id } }), refetchInterval: whyInterval };
}

export async function loadOverview(): Promise<void> {
  await Promise.all([
    read(queuesQuery()),
    read(statsQuery()),
    read(doubtsQuery()),
    read(devicesQuery()),
    read(poolsQuery()),
  ]);
}

/** Puts figures on screen as they change, until the signal aborts. */
export async function followStats(signal: AbortSignal): Promise<void> {
  const stream: unknown = await call('streamQueueStats', {}, { signal });
  for await (const { list } of stream as AsyncIterable<Schemas['QueueStatsMessage']>) {
    const { queryKey } = statsQuery();
    const known = queryClient.getQueryData(queryKey);
    if (!known) continue;
    queryClient.setQueryData(queryKey, { ...known, list: merged(known.list, list) });
    if (doubtsIn(known.list) !== doubtsIn(merged(known.list, list)))
      await queryClient.invalidateQueries({ queryKey: ['listDoubts'] });
  }
}

const told = [
  'pauseQueue',
  'resumeQueue',
  'resumeQueues',
  'warnQueueLevel',
  'breakQueueLevel',
  'keepQueueLevel',
  'setQueueLevel',
  'createQueue',
  'updateQueue',
  'archiveQueue',
  'restoreQueue',
  'deleteQueue',
  'updateWorkItemModel',
  'createAutomation',
  'updateAutomation',
  'deleteAutomation',
  'drainDevice',
  'quarantineDevice',
  'resumeDevice',
  'registerDevice',
  'disconnectSilentDevices',
  'createWorkItemsFromFile',
  'undoUpload',
];

/** Events that whoever takes over wants to hear of, behind a cursor; as many as people read. */
export function sinceQuery(after: string) {
  return {
    ...query('listEvents', { query: { after, operation: told.join(','), limit: 200 } }),
    refetchInterval: whyInterval,
  };
}

/** Where the feed is now. */
export async function cursorOfNow(): Promise<string> {
  const { cursor } = await call('listEvents', { query: { last: 0 } });
  return cursor;
}
