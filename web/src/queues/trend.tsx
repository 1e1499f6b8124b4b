import type { Id } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { m } from './messages.ts';
import { historyQuery } from './queries.ts';
import { pointsOf } from './trend-rules.ts';
import css from './queues.module.css';

/** The most queues of a list with a trend: each costs a call. */
export const withTrend = 30;

const [width, height] = [96, 20];
const spanMs = 300_000;

/** The items completed in the last two hours, as a line. */
export function Trend({ queueId }: { readonly queueId: Id }) {
  const until = Math.ceil(Date.now() / spanMs) * spanMs;
  const { data } = useQuery(historyQuery(queueId, until));
  const values = data?.list.map(({ complete }) => complete) ?? [];
  if (values.every((value) => value === 0)) return undefined;
  const text = m.queues.trendText(Math.max(...values), values.at(-1) ?? 0);
  return (
    <svg
      role="img"
      aria-label={text}
      className={css.trend}
      width={width}
      height={height + 2}
      viewBox={`0 -1 ${width} ${height + 2}`}
    >
      <title>{text}</title>
      <polyline points={pointsOf(values, width, height)} />
    </svg>
  );
}
