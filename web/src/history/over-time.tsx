import type { Schemas } from '@millrace/api';
import { useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import { Backlog, Flow } from './charts.tsx';
import css from './history.module.css';
import { m } from './messages.ts';
import { historyQuery } from './queries.ts';
import { RangeChoice } from './range.tsx';
import { addedUp, backlogIn, flowIn, together, type Dated, type Range } from './rules.ts';

// Each queue costs a call.
const mostAsked = 20;

interface Props {
  readonly stats: readonly Schemas['QueueStats'][];
  readonly queues: readonly Schemas['Queue'][];
}

/** The history of all queues together; of the busiest where they are many. */
export function OverTime({ stats, queues }: Props) {
  const [range, setRange] = useState<Range>('24h');
  const busiest = stats.toSorted((one, other) => workOf(other) - workOf(one)).slice(0, mostAsked);
  const answers = useQueries({ queries: busiest.map(({ queueId }) => historyQuery(queueId, range)) });
  const all = answers.flatMap(({ data }): Dated[] =>
    data ? [{ history: data, since: queues.find(({ id }) => id === data.queueId)?.createdOn }] : [],
  );
  const [first] = all;
  const list = together(all);
  return (
    <section aria-label={m.history.title} className={css.together}>
      <h2>{m.history.title}</h2>
      <div className={css.choice}>
        <p>{m.history.sum(busiest.length, stats.length)}</p>
        <RangeChoice range={range} onChange={setRange} />
      </div>
      {first && (
        <div className={css.side}>
          <Flow list={list} frame={first.history} spans={addedUp(all, flowIn)} />
          <Backlog list={list} frame={first.history} spans={addedUp(all, backlogIn)} />
        </div>
      )}
    </section>
  );
}

function workOf({ counts, recent }: Schemas['QueueStats']): number {
  return recent.complete + recent.failed + counts.NEW + counts.IN_PROGRESS;
}
