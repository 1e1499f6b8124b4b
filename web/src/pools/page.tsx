import type { Schemas } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Notice } from '../page/states.tsx';
import { Text } from '../page/text.tsx';
import { useTitle } from '../page/title.ts';
import { NewPool, PoolActions } from './form.tsx';
import { m } from './messages.ts';
import { automationsQuery, poolsQuery, statsQuery, useMay } from './queries.ts';
import { sharesOf, type Share } from './rules.ts';
import css from './pools.module.css';

export { loadPools as load } from './queries.ts';

/** The pools: the scheme of each, and the actual share of each automation beside the intended one. */
export function Page() {
  const { data: pools } = useSuspenseQuery(poolsQuery());
  useTitle(m.pools.title);
  return (
    <>
      <header className="head">
        <h1>{m.pools.title}</h1>
        <span className={css.soft}>{m.pools.total(pools.page.total)}</span>
        {useMay('manageDevices') ? <NewPool /> : <small className={css.soft}>{m.pools.mayNotCreate}</small>}
      </header>
      {pools.list.length === 0 && <None />}
      {pools.list.map((pool) => (
        <Pool key={String(pool.id)} pool={pool} />
      ))}
    </>
  );
}

/** Only users who see all know that there is none; others may lack the permission. */
function None() {
  const seesAll = useMay('viewDevices', 'manageDevices');
  return (
    <Notice title={seesAll ? m.pools.empty : m.pools.unseen}>
      <p>{m.pools.emptyText}</p>
      {!seesAll && <p>{m.pools.unseenText}</p>}
    </Notice>
  );
}

function Pool({ pool }: { readonly pool: Schemas['Pool'] }) {
  const { data: automations } = useSuspenseQuery(automationsQuery());
  const { data: stats } = useSuspenseQuery(statsQuery());
  const { name, scheme, timeSliceSeconds, deviceCount } = pool;
  const shares = sharesOf(pool, automations.list, stats.list);
  return (
    <section id={`pool-${String(pool.id)}`} className={css.pool} aria-label={name}>
      <h2>
        <Text>{name}</Text>
      </h2>
      <p className={css.soft}>
        {m.pools.schemes[scheme](timeSliceSeconds)}{' '}
        <Link to="/devices" search={{ pool: String(pool.id) }}>
          {m.pools.devices(deviceCount)}
        </Link>
      </p>
      {shares.length === 0 ? <p className={css.soft}>{m.pools.none}</p> : <Shares shares={shares} />}
      <PoolActions pool={pool} />
    </section>
  );
}

function Shares({ shares }: { readonly shares: readonly Share[] }) {
  return (
    <div className="scroll">
      <table className={css.table}>
        <thead>
          <tr>
            <th>{m.pools.automation}</th>
            <th>{m.pools.due}</th>
            <th>{m.pools.got}</th>
            <th>{m.pools.finished}</th>
          </tr>
        </thead>
        <tbody>
          {shares.map(({ automation, due, got, finished }) => (
            <tr key={String(automation.id)}>
              <th scope="row">
                <Link to="/queues/$id" params={{ id: String(automation.queueId) }}>
                  <Text>{automation.name}</Text>
                </Link>
              </th>
              <td>
                <Bar part={due} kind="due" />
              </td>
              <td>{got !== undefined && <Bar part={got} kind="got" />}</td>
              <td>{finished !== undefined && m.pools.items(finished)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Bar({ part, kind }: { readonly part: number; readonly kind: 'due' | 'got' }) {
  return (
    <span className={css.share}>
      <meter className={css.bar} data-kind={kind} value={part} aria-hidden="true" />
      {m.pools.percent(part)}
    </span>
  );
}
