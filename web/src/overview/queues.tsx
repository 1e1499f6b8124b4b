import type { Id, Schemas } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Sentence } from '../page/sentence.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { CountsBar } from '../queues/counts.tsx';
import { Lately, Oldest } from '../queues/lately.tsx';
import { QueueState } from '../queues/state.tsx';
import { Trend, withTrend } from '../queues/trend.tsx';
import { WhyLink } from '../queues/why-link.tsx';
import { m } from './messages.ts';
import { statesQuery } from './queries.ts';
import { inOrder, worstQueuesFirst } from './rules.ts';
import css from './overview.module.css';

type Stats = Schemas['QueueStats'];

const shown = 100;

interface QueuesProps {
  readonly stats: readonly Stats[];
  /** The reasons of queues that stand still and need a person. */
  readonly sentences: ReadonlyMap<Id, string>;
  /** Whether the reasons of all of them are known. */
  readonly isKnown: boolean;
}

/** The queues, worst first on request, each figure a link to the items it counts. */
export function Queues({ stats, sentences, isKnown }: QueuesProps) {
  const { data: queues } = useSuspenseQuery(statesQuery());
  const [order, setOrder] = useState<readonly Id[]>();
  const worst = worstQueuesFirst(stats, new Set(sentences.keys())).map(({ queueId }) => queueId);
  // Once everything is known, rows move only on request.
  if (order === undefined && isKnown) setOrder(worst);
  const rows = inOrder(stats, order ?? worst);
  const isWorstFirst = rows.every(({ queueId }, index) => queueId === worst[index]);
  return (
    <section aria-label={m.overview.queues}>
      <header className={css.actions}>
        <h2>{m.overview.queues}</h2>
        <Button className="quiet" isDisabled={isWorstFirst} onPress={() => setOrder(worst)}>
          {m.overview.sort}
        </Button>
      </header>
      {rows.length === 0 && <p>{m.overview.noQueues}</p>}
      {rows.length > 0 && (
        <div className={css.scroll}>
          <table className={`${css.table} stacked`}>
            <thead>
              <tr>
                <th>{m.overview.queueName}</th>
                <th>{m.overview.counts}</th>
                <th>{m.overview.recent}</th>
                <th>{m.queues.trend}</th>
                <th>{m.overview.oldest}</th>
                <th>{m.overview.end}</th>
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, shown).map((one, index) => (
                <Row
                  key={String(one.queueId)}
                  stats={one}
                  queue={queues.list.find(({ id }) => id === one.queueId)}
                  sentence={sentences.get(one.queueId)}
                  hasTrend={index < withTrend}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rows.length > shown && <Link to="/queues">{m.overview.more(rows.length - shown)}</Link>}
    </section>
  );
}

interface RowProps {
  readonly stats: Stats;
  readonly queue: Schemas['Queue'] | undefined;
  readonly sentence: string | undefined;
  readonly hasTrend: boolean;
}

function Row({ stats, queue, sentence, hasTrend }: RowProps) {
  const { queueId, queueName, expectedEndOn } = stats;
  const params = { id: String(queueId) };
  return (
    <tr data-row>
      <th scope="row">
        <Link to="/queues/$id" params={params}>
          <Text>{queueName}</Text>
        </Link>{' '}
        {queue && <QueueState queue={queue} />} <WhyLink id={queueId} />
        {sentence && queue?.status === 'ACTIVE' && (
          <small>
            <Sentence>{sentence}</Sentence>
          </small>
        )}
      </th>
      <td>
        <CountsBar id={String(queueId)} stats={stats} />
      </td>
      <td>
        <Lately stats={stats} />
      </td>
      <td>{hasTrend && <Trend queueId={queueId} />}</td>
      <td>
        <Oldest stats={stats} />
      </td>
      <td>
        {/* A pace of a while ago says nothing about a queue that stands still. */}
        {expectedEndOn !== undefined && sentence === undefined && (
          <Link to="/queues/$id/level" params={params}>
            {m.overview.done} <Time on={expectedEndOn} />
          </Link>
        )}
      </td>
    </tr>
  );
}
