import { Link } from '@tanstack/react-router';
import { useRef } from 'react';
import { useRows } from '../page/rows.ts';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { m } from './messages.ts';
import type { Cluster } from './queries.ts';
import { shapeOf } from './rules.ts';
import css from './repair.module.css';

interface Props {
  readonly clusters: readonly Cluster[];
  readonly chosen: Cluster | undefined;
}

/** The causes of failures, the most urgent first. */
export function ClusterList({ clusters, chosen }: Props) {
  const list = useRef<HTMLElement>(null);
  useRows(list);
  return (
    <nav ref={list} aria-label={m.repair.clusters} className={css.clusters}>
      <ul>
        {clusters.map((cluster) => {
          const { failureKind: kind, signature } = cluster;
          return (
            <li key={`${kind} ${signature}`} data-row>
              <Link
                to="/repair"
                search={{ kind, signature }}
                aria-current={cluster === chosen ? 'true' : undefined}
                className={css.cluster}
              >
                <ClusterLine cluster={cluster} />
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

function ClusterLine({ cluster }: { readonly cluster: Cluster }) {
  const { failureKind, signature, count, isMore, isNew, queues, devices } = cluster;
  const { firstSeenOn, lastSeenOn, remedies } = cluster;
  const [remedy] = remedies;
  return (
    <>
      <span className={css.count}>{count === 0 ? '✓' : m.repair.amount(count, isMore)}</span>
      <span className={css.what}>
        <b>
          <Text>{shapeOf(signature)}</Text>
        </b>
        <small>
          <span className={css.kind} data-kind={failureKind}>
            {m.kinds[failureKind]}
          </span>
          {isNew && <span className={css.new}>{m.repair.isNew}</span>}
          {count === 0 && <span>{m.repair.over}</span>}
          {queues.length > 0 && (
            <span>
              <Text>{m.repair.in(queues.map(({ queueName }) => queueName).join(', '))}</Text>
            </span>
          )}
          {devices.length > 0 && <span>{m.repair.on(devices.length)}</span>}
          {firstSeenOn && (
            <span>
              {m.repair.firstSeen} <Time on={firstSeenOn} />
            </span>
          )}
          {lastSeenOn && (
            <span>
              {m.repair.seen} <Time on={lastSeenOn} />
            </span>
          )}
        </small>
        {remedy && (
          <small>
            {m.repair.outcome(remedy.done, remedy.waiting, remedy.failedAgain, remedy.failedOtherwise)}
          </small>
        )}
      </span>
    </>
  );
}
