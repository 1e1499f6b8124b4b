import { toId, type Id, type Schemas } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Text } from '../page/text.tsx';
import { duration } from '../page/time.tsx';
import { useTitle } from '../page/title.ts';
import { m } from './messages.ts';
import { LevelBadge, Picture } from './outlook.tsx';
import { PromiseForm } from './promise-form.tsx';
import { forecastQuery, levelQuery, queueQuery, savingsQuery } from './queries.ts';
import css from './levels.module.css';

export { loadLevel as load } from './queries.ts';

/** The outlook of a queue's service level, its savings, and the service level itself. */
export function Page() {
  const { id } = useParams({ from: '/frame/queues/$id/level' });
  const queueId = toId(id);
  const { data: queue } = useSuspenseQuery(queueQuery(queueId));
  const { data: level } = useSuspenseQuery(levelQuery(queueId));
  const [said, setSaid] = useState('');
  useTitle(m.levels.title, queue.name ?? id);
  return (
    <div className={css.page}>
      <h2>{m.levels.title}</h2>
      <p role="status">{said}</p>
      <Forecast id={queueId} />
      <Savings id={queueId} />
      <PromiseForm key={id} level={level} queue={queue} onSaved={() => setSaid(m.levels.saved)} />
    </div>
  );
}

function Forecast({ id }: { readonly id: Id }) {
  const { data: forecast } = useSuspenseQuery(forecastQuery(id));
  return (
    <section aria-label={m.levels.forecast}>
      <h3>{m.levels.forecast}</h3>
      <p>
        {forecast.level && <LevelBadge state={forecast.level.state} />} <Text>{forecast.sentence}</Text>
      </p>
      <Picture forecast={forecast} />
      <details>
        <summary>{m.levels.restsOn}</summary>
        <RestsOn facts={forecast.restsOn} />
      </details>
    </section>
  );
}

function RestsOn({ facts }: { readonly facts: Schemas['QueueForecast']['restsOn'] }) {
  const { handlingSeconds, measuredItems = 0, measuredOver = 'RECENT' } = facts;
  const handling =
    handlingSeconds === undefined
      ? m.levels.notMeasured
      : m.levels.measured(duration(handlingSeconds), measuredItems, m.levels.over[measuredOver]);
  const rows: [string, string][] = [
    [m.levels.waiting, m.number(facts.waiting)],
    [m.levels.running, m.number(facts.running)],
    [m.levels.comingDue, m.number(facts.comingDue)],
    [m.levels.putAside, m.number(facts.putAside)],
    [m.levels.handling, handling],
    [m.levels.atOnce, m.number(facts.atOnce)],
    [m.levels.devices, m.number(facts.devices)],
    [m.levels.arriving, m.levels.perMinute(facts.arrivingPerMinute)],
  ];
  return (
    <>
      <Facts rows={rows} />
      {facts.isEstimated && <p className="soft">{m.levels.estimated}</p>}
    </>
  );
}

function Facts({ rows }: { readonly rows: readonly [string, string][] }) {
  return (
    <dl className={css.facts}>
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Savings({ id }: { readonly id: Id }) {
  const { data: savings } = useSuspenseQuery(savingsQuery(id));
  const { hours, sentence } = savings;
  return (
    <section aria-label={m.levels.savings}>
      <h3>{m.levels.savings}</h3>
      <p>
        <Text>{sentence}</Text>{' '}
        {!hours && (
          <Link to="/queues/$id/settings" params={{ id: String(id) }}>
            {m.levels.settings}
          </Link>
        )}
      </p>
      {hours && (
        <Facts
          rows={[
            [m.levels.worked, m.levels.hours(hours.worked)],
            [m.levels.inVain, m.levels.hours(hours.failed)],
            [m.levels.repairs, m.levels.hours(hours.repairs)],
            [m.levels.left, m.levels.hours(hours.saved)],
          ]}
        />
      )}
    </section>
  );
}
