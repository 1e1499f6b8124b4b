import { toId, type Id } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { modelQuery, queueQuery } from '../queues/queries.ts';
import { Bench } from './bench.tsx';
import { m } from './messages.ts';
import { Note } from './note.tsx';
import type { Cluster } from './queries.ts';
import { shapeOf } from './rules.ts';
import css from './repair.module.css';

interface Props {
  readonly cluster: Cluster;
  /** The id of the queue whose items are shown, where one was chosen. */
  readonly queue: string | undefined;
}

/** One cause: what was done about it, and its items, to correct and send back. */
export function ClusterPane({ cluster, queue }: Props) {
  const { signature, failureKind, queues, notes, remedies } = cluster;
  const ids = [...queues, ...remedies, ...notes].map(({ queueId }) => String(queueId));
  // The queue that was shown first stays, even when its items are sent back.
  const [first] = useState(ids[0]);
  const id = queue !== undefined && ids.includes(queue) ? queue : first;
  return (
    <section className={css.pane} aria-label={shapeOf(signature)}>
      <h2>
        <Text>{shapeOf(signature)}</Text>
      </h2>
      {queues.length > 1 && <QueueTabs cluster={cluster} id={id} />}
      <Devices cluster={cluster} />
      <Remedies cluster={cluster} />
      <OtherNotes cluster={cluster} id={id} />
      {id !== undefined && <Note key={`note ${id}`} cluster={cluster} queueId={toId(id)} />}
      {failureKind === 'IN_DOUBT' ? (
        <p>
          {m.repair.undecided} <Link to="/repair/doubts">{m.doubts.title}</Link>
        </p>
      ) : (
        id !== undefined && <BenchOf key={`items ${id}`} cluster={cluster} queueId={toId(id)} />
      )}
    </section>
  );
}

function QueueTabs({
  cluster: { failureKind: kind, signature, queues },
  id,
}: {
  readonly cluster: Cluster;
  readonly id: string | undefined;
}) {
  return (
    <nav aria-label={m.repair.queues} className={css.tabs}>
      {queues.map(({ queueId, queueName, count, isMore }) => (
        <Link
          key={String(queueId)}
          to="/repair"
          search={{ kind, signature, queue: String(queueId) }}
          aria-current={String(queueId) === id ? 'true' : undefined}
        >
          <Text>{queueName}</Text> {m.repair.amount(count, isMore)}
        </Link>
      ))}
    </nav>
  );
}

/** Where the newest items of the cause have failed, most first. */
function Devices({ cluster: { devices } }: { readonly cluster: Cluster }) {
  if (devices.length === 0) return undefined;
  return (
    <ul aria-label={m.repair.devices} className={`${css.remedies} ${css.tabs}`}>
      {devices.map(({ deviceId, hostName, count }) => (
        <li key={String(deviceId)}>
          <Link to="/devices/$id" params={{ id: String(deviceId) }}>
            <Text>{m.repair.onDevice(hostName ?? String(deviceId), count)}</Text>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Remedies({ cluster: { remedies } }: { readonly cluster: Cluster }) {
  if (remedies.length === 0) return undefined;
  return (
    <ul aria-label={m.repair.remedies} className={css.remedies}>
      {remedies.map(({ queueId, batchId, restarted, by, byName = String(by), on, ...now }) => (
        <li key={`${queueId} ${batchId}`}>
          <Text>{m.repair.restarted(restarted, byName)}</Text> <Time on={on} />:{' '}
          <Link to="/queues/$id" params={{ id: String(queueId) }} search={{ q: `batchId:${batchId}` }}>
            {m.repair.outcome(now.done, now.waiting, now.failedAgain, now.failedOtherwise)}
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** The notes on the same cause in other queues. */
function OtherNotes({
  cluster: { notes },
  id,
}: {
  readonly cluster: Cluster;
  readonly id: string | undefined;
}) {
  const others = notes.filter(({ queueId }) => String(queueId) !== id);
  if (others.length === 0) return undefined;
  return (
    <ul aria-label={m.repair.notes} className={css.remedies}>
      {others.map(({ queueId, note, updatedBy, updatedByName = String(updatedBy), updatedOn }) => (
        <li key={String(queueId)}>
          <Text>{m.repair.noteBy(updatedByName)}</Text> <Time on={updatedOn} />: <Text>{note}</Text>
        </li>
      ))}
    </ul>
  );
}

/** The items of a queue, with the attributes of its model. */
function BenchOf({ cluster, queueId }: { readonly cluster: Cluster; readonly queueId: Id }) {
  const { data: queue } = useQuery(queueQuery(queueId));
  const model = useQuery({ ...modelQuery(queue?.workItemModelId ?? 0), enabled: queue !== undefined });
  if (!queue || (model.isPending && !model.isError)) return undefined;
  return <Bench cluster={cluster} queue={queue} model={model.data} />;
}
