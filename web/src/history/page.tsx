import { toId } from '@millrace/api';
import { keepPreviousData, useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Notice, Skeleton } from '../page/states.tsx';
import { exactly } from '../page/time.tsx';
import { queueQuery } from '../queues/queries.ts';
import { BacklogChart, FlowChart, HandlingChart, OldestChart } from './charts.tsx';
import { Done } from './done.tsx';
import css from './history.module.css';
import { marksOf } from './marks.ts';
import { m } from './messages.ts';
import { historyQuery, marksQuery } from './queries.ts';
import { RangeChoice } from './range.tsx';
import { beginningOf, rangeIn } from './rules.ts';

/** The history of a queue. */
export function Page() {
  const { id } = useParams({ from: '/frame/queues/$id' });
  const search: { range?: string } = useSearch({ from: '/frame/queues/$id/charts' });
  const range = rangeIn(search.range);
  const navigate = useNavigate();
  const { data: queue } = useSuspenseQuery(queueQuery(toId(id)));
  const { data: history, error } = useQuery({
    ...historyQuery(toId(id), range),
    placeholderData: keepPreviousData,
  });
  const begin = beginningOf(range, Date.now()).from;
  const { data: done } = useQuery({ ...marksQuery(toId(id), begin), placeholderData: keepPreviousData });
  const marks = marksOf(done?.list ?? []);
  const linksOf = (from: Date, to: Date) => <SpanLinks id={id} from={from} to={to} />;
  const since = queue.createdOn;
  return (
    <div className={css.page}>
      <RangeChoice
        range={range}
        onChange={(next) =>
          void navigate({ to: '/queues/$id/charts', params: { id }, search: { range: next }, replace: true })
        }
      />
      {error && <Notice title={error.message} />}
      {!history && !error && <Skeleton />}
      {history && (
        <>
          {since !== undefined && since > history.from && <p>{m.history.young(exactly(since))}</p>}
          <FlowChart history={history} since={since} marks={marks} linksOf={linksOf} />
          <BacklogChart history={history} since={since} marks={marks} />
          <OldestChart history={history} since={since} marks={marks} />
          <HandlingChart history={history} since={since} marks={marks} linksOf={linksOf} />
          {done && <Done id={id} from={begin} marks={marks} isMore={done.isMore} />}
        </>
      )}
    </div>
  );
}

interface LinksProps {
  readonly id: string;
  readonly from: Date;
  readonly to: Date;
}

/** Links to the items that a span counts. */
function SpanLinks({ id, from, to }: LinksProps) {
  const [begin, end] = [from.toISOString(), to.toISOString()];
  return (
    <>
      <Link to="/queues/$id" params={{ id }} search={{ q: `created>=${begin} created<${end}` }}>
        {m.history.cameIn}
      </Link>
      <Link to="/queues/$id" params={{ id }} search={{ q: `endTime>=${begin} endTime<${end}` }}>
        {m.history.ended}
      </Link>
    </>
  );
}
