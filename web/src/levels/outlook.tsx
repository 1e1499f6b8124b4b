import type { Id, Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link, useMatchRoute } from '@tanstack/react-router';
import { CircleAlert, CircleCheck, Clock } from 'lucide-react';
import { Text } from '../page/text.tsx';
import { exactly } from '../page/time.tsx';
import { m } from './messages.ts';
import { forecastQuery } from './queries.ts';
import { scaleOf } from './rules.ts';
import css from './levels.module.css';

const icons = { KEPT: CircleCheck, AT_RISK: Clock, BROKEN: CircleAlert } as const;

/** The state of a service level: word, shape and colour. */
export function LevelBadge({ state }: { readonly state: Schemas['LevelState'] }) {
  const Icon = icons[state];
  return (
    <span className={css.badge} data-state={state}>
      <Icon size={14} aria-hidden="true" />
      {m.levels.states[state]}
    </span>
  );
}

/**
 * When a queue will be done, and whether in time: a sentence and a small picture. Empty where there is neither a service level nor an end,
 * and on the page that shows all of it.
 */
export function Outlook({ id }: { readonly id: Id }) {
  const { data: forecast } = useQuery(forecastQuery(id));
  const isWhole = useMatchRoute()({ to: '/queues/$id/level', params: { id: String(id) } }) !== false;
  if (isWhole || !forecast || (!forecast.level && forecast.code !== 'ENDS')) return undefined;
  return (
    <div className={css.outlook}>
      <p>
        {forecast.level && <LevelBadge state={forecast.level.state} />} <Text>{forecast.sentence}</Text>{' '}
        <Link to="/queues/$id/level" params={{ id: String(id) }}>
          {m.levels.details}
        </Link>
      </p>
      <Picture forecast={forecast} />
    </div>
  );
}

const [width, height] = [240, 26];

/** The time from now until the queue is done, with its due time. */
export function Picture({ forecast }: { readonly forecast: Schemas['QueueForecast'] }) {
  const scale = scaleOf(forecast, width);
  const { expectedEndOn, level } = forecast;
  if (!scale || expectedEndOn === undefined) return undefined;
  const due = level?.dueOn ?? level?.nextDueOn;
  const text = m.levels.picture(exactly(expectedEndOn), due === undefined ? '' : exactly(due));
  // The next item may be due before the whole queue is done, and yet be in time.
  const isLate = level?.state !== 'KEPT' && scale.due !== undefined && scale.end > scale.due;
  return (
    <svg
      role="img"
      aria-label={text}
      className={css.picture}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
    >
      <title>{text}</title>
      <rect className={css.track} y={9} width={width} height={8} rx={4} />
      <rect
        className={css.work}
        y={9}
        width={Math.max(4, isLate ? Math.min(scale.end, scale.due ?? Infinity) : scale.end)}
        height={8}
        rx={4}
      />
      {isLate && scale.due !== undefined && (
        <rect className={css.late} x={scale.due} y={9} width={scale.end - scale.due} height={8} rx={4} />
      )}
      {scale.due !== undefined && (
        <line className={css.due} x1={scale.due} x2={scale.due} y1={1} y2={height - 1} />
      )}
    </svg>
  );
}
