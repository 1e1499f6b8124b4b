import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Command, Notice } from '../page/states.tsx';
import { useTitle } from '../page/title.ts';
import { ClusterList } from './cluster-list.tsx';
import { ClusterPane } from './cluster-pane.tsx';
import { m } from './messages.ts';
import { clustersQuery, doubtsQuery, type Cluster } from './queries.ts';
import { keptOrder, keyOf } from './rules.ts';
import css from './repair.module.css';

export { loadRepair as load } from './queries.ts';

/** The failures by cause: see, correct and send back. */
export function Page() {
  const { data } = useSuspenseQuery(clustersQuery());
  const { data: doubts } = useSuspenseQuery(doubtsQuery());
  const { kind, signature, queue } = useSearch({ from: '/frame/repair' });
  // The first cause at the opening of the page, until another is chosen; on a phone the list alone.
  const [first] = useState(() => (matchMedia('(width < 48rem)').matches ? undefined : data.list[0]));
  const wanted = signature === undefined ? first : { failureKind: kind, signature };
  const chosen = data.list.find(
    (one) => one.failureKind === wanted?.failureKind && one.signature === wanted.signature,
  );
  const { clusters, isKept, sort } = useKept(data.list);
  useTitle(m.repair.title);
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>{m.repair.title}</h1>
        {data.total > data.list.length && <span>{m.repair.ofAll(data.list.length, data.total)}</span>}
        {isKept && (
          <Button className="quiet" onPress={sort}>
            {m.repair.worstFirst}
          </Button>
        )}
        {doubts.total > 0 && <Link to="/repair/doubts">{m.repair.doubts(doubts.total)}</Link>}
      </header>
      {data.list.length === 0 ? (
        <Notice title={m.repair.empty}>
          <p>{m.repair.emptyText}</p>
          <Command>millrace item failures</Command>
        </Notice>
      ) : (
        <div className={css.desk} data-open={chosen !== undefined}>
          <ClusterList clusters={clusters} chosen={chosen} />
          {chosen ? (
            <ClusterPane key={`${chosen.failureKind} ${chosen.signature}`} cluster={chosen} queue={queue} />
          ) : (
            <p className={css.choose}>{m.repair.choose}</p>
          )}
        </div>
      )}
    </div>
  );
}

/** The causes in the order in which they were first seen, so that none moves under the hand; and how to have the worst first again. */
function useKept(latest: readonly Cluster[]) {
  const [order, setOrder] = useState(() => latest.map(keyOf));
  const clusters = keptOrder(order, latest);
  const now = clusters.map(keyOf);
  if (now.join('\n') !== order.join('\n')) setOrder(now);
  const sort = () => setOrder(latest.map(keyOf));
  return { clusters, isKept: clusters.some((one, index) => one !== latest[index]), sort };
}
