import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { Series } from '../charts/props.ts';
import { TimeChart } from '../charts/time-chart.tsx';
import { exactly } from '../page/time.tsx';
import { m } from './messages.ts';
import { countsQuery } from './queries.ts';
import { spansOf, sumOf, withTime, type EventQuery } from './rules.ts';
import css from './events.module.css';

interface Props {
  readonly q: string;
  readonly query: EventQuery;
  readonly onFilter: (q: string) => void;
}

const series: readonly Series[] = [
  { label: m.events.counted, look: 'busy', as: 'bar', isSum: true },
  { label: m.events.estimated, look: 'soft', as: 'bar', isSum: true },
];

/** How many events there are at which time, where a stretch that is drawn becomes the time of the filter. */
export function Density({ q, query, onFilter }: Props) {
  const { data, error } = useQuery({ ...countsQuery(query), placeholderData: keepPreviousData });
  if (!data) return <div className={css.density}>{error && <p>{error.message}</p>}</div>;
  const { total, isEstimated, most } = sumOf(data);
  const told = [
    m.events.sum(total, isEstimated, exactly(data.from)),
    most && m.events.peak(most.count, exactly(most.from)),
    isEstimated && m.events.roughly,
  ];
  return (
    <div className={css.density}>
      <TimeChart
        title={m.events.density(m.events.spans[data.step] ?? '')}
        summary={told.filter(Boolean).join(' ')}
        series={isEstimated ? series : series.slice(0, 1)}
        spans={spansOf(data)}
        step={data.step}
        to={new Date(data.until)}
        format={m.number}
        isWhole
        isStrip
        choose={{ label: m.events.only, act: (from, to) => onFilter(withTime(q, from, to)) }}
      />
    </div>
  );
}
