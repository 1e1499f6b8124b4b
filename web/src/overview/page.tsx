import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useRef } from 'react';
import { devicesQuery } from '../devices/queries.ts';
import { Promises } from '../levels/promises.tsx';
import { levelsQuery } from '../levels/queries.ts';
import { useIsFollowing } from '../live/following.ts';
import { useRows } from '../page/rows.ts';
import { useTitle } from '../page/title.ts';
import { Fleet } from './fleet.tsx';
import { m } from './messages.ts';
import { Needs } from './needs.tsx';
import {
  clustersQuery,
  doubtsQuery,
  followStats,
  idleAutomationsQuery,
  statesQuery,
  statsQuery,
} from './queries.ts';
import { Queues } from './queues.tsx';
import { needsOf } from './rules.ts';
import { Since } from './since.tsx';
import { useWhys } from './use-whys.ts';
import css from './overview.module.css';

export { loadOverview as load } from './queries.ts';

// Loaded after what needs a person.
const OverTime = lazy(async () => ({ default: (await import('../history/over-time.tsx')).OverTime }));

/** The overview: what needs a person, the queues, the devices, and the events since the last look. */
export function Page() {
  const { data: stats } = useSuspenseQuery(statsQuery());
  const { data: queues } = useSuspenseQuery(statesQuery());
  const { data: doubts } = useSuspenseQuery(doubtsQuery());
  const { data: devices } = useSuspenseQuery(devicesQuery());
  const { data: levels } = useSuspenseQuery(levelsQuery());
  const { data: clusters, isSuccess: hasClusters } = useQuery(clustersQuery());
  const { data: idle, isSuccess: hasIdle } = useQuery(idleAutomationsQuery());
  const { whys, isAsked, known, all } = useWhys(stats.list);
  useTitle(m.overview.title);
  const page = useRef<HTMLDivElement>(null);
  useRows(page);
  useLiveStats();
  const needs = needsOf({
    doubts,
    stats: stats.list,
    devices: devices.list,
    whys,
    levels: levels.list,
    clusters: clusters?.list ?? [],
    idle: idle?.list ?? [],
    now: Date.now(),
  });
  const sentences = new Map(
    needs.flatMap((need) =>
      need.kind === 'queue' ? [[need.stats.queueId, need.why.sentence] as const] : [],
    ),
  );
  return (
    <div ref={page} className={`page ${css.overview}`}>
      <h1>{m.overview.title}</h1>
      <Needs needs={needs} isKnown={known === all && hasClusters && hasIdle} known={known} all={all} />
      <Promises />
      <Queues stats={stats.list} sentences={sentences} isKnown={isAsked} />
      <Suspense>
        <OverTime stats={stats.list} queues={queues.list} />
      </Suspense>
      <Fleet devices={devices.list} />
      <Since devices={devices.list} clusters={clusters?.list ?? []} />
    </div>
  );
}

/** Follows the figures while somebody looks at the page. Without the stream they are still read anew now and then. */
function useLiveStats(): void {
  const isFollowing = useIsFollowing();
  useEffect(() => (isFollowing ? followStats() : undefined), [isFollowing]);
}
