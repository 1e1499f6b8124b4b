import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { Command, Notice } from '../page/states.tsx';
import { useTitle } from '../page/title.ts';
import { ClusterList } from './cluster-list.tsx';
import { ClusterPane } from './cluster-pane.tsx';
import { m } from './messages.ts';
import { clustersQuery, doubtsQuery } from './queries.ts';
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
  useTitle(m.repair.title);
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>{m.repair.title}</h1>
        {data.total > data.list.length && <span>{m.repair.ofAll(data.list.length, data.total)}</span>}
        {doubts.total > 0 && <Link to="/repair/doubts">{m.repair.doubts(doubts.total)}</Link>}
      </header>
      {data.list.length === 0 ? (
        <Notice title={m.repair.empty}>
          <p>{m.repair.emptyText}</p>
          <Command>millrace item failures</Command>
        </Notice>
      ) : (
        <div className={css.desk} data-open={chosen !== undefined}>
          <ClusterList clusters={data.list} chosen={chosen} />
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
