import type { Id, Schemas } from '@millrace/api';
import { call, session } from '../connection/client.ts';
import { query, queryClient, read } from '../connection/query.ts';
import { devicesQuery, poolsQuery } from '../devices/queries.ts';
import { levelsQuery } from '../levels/queries.ts';
import { share } from '../live/shared.ts';
import { queuesQuery } from '../queues/queries.ts';
import { clustersQuery as clustersOfDesk } from '../repair/queries.ts';
import { doubtsIn, merged } from './rules.ts';

type Stats = Schemas['QueueStats'];

const most = 1000;
// For changes without events, such as the passing of time.
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

/** The active automations that can start nothing, as all their run-as users are disabled. */
export function idleAutomationsQuery() {
  const operands = [
    { operator: 'eq', field: 'status', value: 'ACTIVE' },
    { operator: 'eq', field: 'runAsUsersDisabled', value: true },
  ];
  const body = { filter: { operator: 'and', operands }, page: { length: 100 } };
  return { ...query('listAutomations', { body }), refetchInterval };
}

/** The causes of failures; each costs a count, so they are asked for less often. */
export function clustersQuery() {
  return { ...clustersOfDesk(), refetchInterval };
}

export async function loadOverview(): Promise<void> {
  await Promise.all([
    read(queuesQuery()),
    read(statsQuery()),
    read(doubtsQuery()),
    read(devicesQuery()),
    read(poolsQuery()),
    read(levelsQuery()),
  ]);
}

/**
 * Puts figures on screen as they change, until the function that is answered is called. The tabs of a user that show them share one stream,
 * as a browser has few connections to a server.
 */
export function followStats(): () => void {
  const now = session.get();
  if (now.state === 'none') return () => undefined;
  return share<readonly Stats[]>({
    name: `millrace.stats.${String(now.user.id)}`,
    lead: async (tell, signal) => {
      const stream: unknown = await call('streamQueueStats', {}, { signal });
      for await (const { list } of stream as AsyncIterable<Schemas['QueueStatsMessage']>) tell(list);
    },
    hear: putIn,
    soFar: () => queryClient.getQueryData(statsQuery().queryKey)?.list,
  });
}

function putIn(list: readonly Stats[]): void {
  const { queryKey } = statsQuery();
  const known = queryClient.getQueryData(queryKey);
  if (!known) return;
  const next = merged(known.list, list);
  queryClient.setQueryData(queryKey, { ...known, list: next });
  if (doubtsIn(known.list) !== doubtsIn(next))
    void queryClient.invalidateQueries({ queryKey: ['listDoubts'] });
}

const noted = [
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
  'noteFailureCluster',
];

/** The events since the last look, as far as they were read. */
export interface Told {
  readonly list: readonly Schemas['Event'][];
  /** The time of the first event after the last look; undefined while there is none. */
  readonly from: string | undefined;
  /** The cursor to read on from. */
  readonly cursor: string;
  readonly isMore: boolean;
  /** The approximate number of events scanned. */
  readonly looked: number;
}

/** The most events in the list: nobody reads more. */
export const mostTold = 200;
const scanned = 10_000;
const looksAtOnce = 10;

/** The events after a cursor that matter at a handover; each refetch reads on from where it was. */
export function sinceQuery(after: string) {
  const queryKey = ['listEvents', { after, of: 'since' }] as const;
  return {
    queryKey,
    queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
      readOn(queryClient.getQueryData<Told>(queryKey), after, signal),
    refetchInterval: whyInterval,
  };
}

async function readOn(known: Told | undefined, after: string, signal: AbortSignal): Promise<Told> {
  let told = known ?? { list: [], from: undefined, cursor: after, isMore: true, looked: 0 };
  if (told.from === undefined) {
    const { list } = await call('listEvents', { query: { after, limit: 1 } }, { signal });
    told = { ...told, from: list[0]?.on };
  }
  for (let looks = 0; looks < looksAtOnce && told.list.length < mostTold; looks += 1) {
    const limit = mostTold - told.list.length;
    const asked = { query: { after: told.cursor, operation: noted.join(','), limit } };
    const { list, cursor, isMore } = await call('listEvents', asked, { signal });
    const looked = told.looked + (isMore ? scanned : 0);
    told = { ...told, list: [...told.list, ...list], cursor, isMore, looked };
    if (!isMore) break;
  }
  return told;
}

/** The cursor of the present end of the feed. */
export async function cursorOfNow(): Promise<string> {
  const { cursor } = await call('listEvents', { query: { last: 0 } });
  return cursor;
}
