import { toId } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { exactly } from '../page/time.tsx';
import { m } from './messages.ts';
import { whyQuery } from './queries.ts';
import { Reasons } from './reasons.tsx';
import css from './queues.module.css';

/** The reasons why the items of a queue start or do not, each with its facts and its remedy. */
export function Page() {
  const { id } = useParams({ from: '/frame/queues/$id' });
  const { data: why } = useSuspenseQuery(whyQuery(toId(id)));
  return (
    <div className={css.why}>
      {why.expectedStartOn && <p>{m.queues.expected(exactly(why.expectedStartOn))}</p>}
      <Reasons queueId={id} reasons={why.reasons} />
    </div>
  );
}
