import { toId } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { exactly } from '../page/time.tsx';
import { WayOfQueue } from '../why/way.tsx';
import { m } from './messages.ts';
import { queueQuery, whyQuery } from './queries.ts';
import { Reasons } from './reasons.tsx';
import css from './queues.module.css';

/** The reasons why the items of a queue start or do not, each with its facts and its remedy, and the way that they go. */
export function Page() {
  const { id } = useParams({ from: '/frame/queues/$id' });
  const { data: why } = useSuspenseQuery(whyQuery(toId(id)));
  const { data: queue } = useSuspenseQuery(queueQuery(toId(id)));
  return (
    <div className={css.why}>
      {why.expectedStartOn && <p>{m.queues.expected(exactly(why.expectedStartOn))}</p>}
      <Reasons queueId={id} reasons={why.reasons} />
      <WayOfQueue queue={{ id: toId(id), name: queue.name }} reasons={why.reasons} />
    </div>
  );
}
