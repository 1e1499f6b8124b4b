import { toId, type Id } from '@millrace/api';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { JsonView } from '../json/json-view.tsx';
import { Notice } from '../page/states.tsx';
import { MayNot } from '../page/may-not.tsx';
import { Text } from '../page/text.tsx';
import { useTitle } from '../page/title.ts';
import { queueQuery } from '../queues/queries.ts';
import { Answers } from '../work-items/answers.tsx';
import { Evidence } from '../work-items/evidence.tsx';
import { itemQuery } from '../work-items/queries.ts';
import { m } from './messages.ts';
import { doubtsQuery } from './queries.ts';
import css from './repair.module.css';

export { loadDoubts as load } from './queries.ts';

/** Items in doubt, one after another, each with the question whether it was done. */
export function Page() {
  const { queue } = useSearch({ from: '/frame/repair/doubts' });
  const { data } = useSuspenseQuery(doubtsQuery(queue === undefined ? undefined : toId(queue)));
  const [later, setLater] = useState<readonly string[]>([]);
  const [settled, setSettled] = useState('');
  useTitle(m.doubts.title, m.repair.title);
  const waiting = data.list.filter(({ id }) => !later.includes(String(id)));
  const [first] = waiting.length > 0 ? waiting : data.list;
  return (
    <>
      <header className={css.head}>
        <h1>{m.doubts.title}</h1>
        <span>{m.doubts.left(data.total)}</span>
        {queue !== undefined && <Link to="/repair/doubts">{m.doubts.ofAll}</Link>}
        <Link to="/repair">{m.doubts.back}</Link>
        <span role="status">{settled}</span>
      </header>
      {first ? (
        <Question
          key={`${first.queueId} ${first.id} ${later.length}`}
          queueId={first.queueId}
          id={first.id}
          queueName={first.queueName}
          onSettled={() => setSettled(m.doubts.settled(String(first.id)))}
          onLater={() =>
            setLater((ids) => [...ids.filter((one) => one !== String(first.id)), String(first.id)])
          }
        />
      ) : (
        <Notice title={queue === undefined ? m.doubts.empty : m.doubts.emptyQueue}>
          <p>{m.doubts.emptyText}</p>
        </Notice>
      )}
    </>
  );
}

interface QuestionProps {
  readonly queueId: Id;
  readonly id: Id;
  readonly queueName: string;
  readonly onSettled: () => void;
  readonly onLater: () => void;
}

function Question({ queueId, id, queueName, onSettled, onLater }: QuestionProps) {
  const { data: item, error } = useQuery(itemQuery(queueId, id));
  const { data: queue } = useQuery(queueQuery(queueId));
  const maySettle = queue?.capabilities?.includes('repair') === true;
  return (
    <article className={css.question}>
      <h2>
        {m.doubts.question(String(id))}{' '}
        <small>
          <Text>{m.doubts.in(queueName)}</Text>
        </small>
      </h2>
      <p role="alert" className="problem">
        {error?.message}
      </p>
      {item && <Evidence item={item} />}
      {item && <JsonView label={m.members.json} value={item.json} />}
      {item && maySettle && <Answers item={item} confirm={m.doubts.confirm} onSettled={onSettled} />}
      {queue && !maySettle && <MayNot queue={queue}>{m.item.mayNot}</MayNot>}
      <p>
        <Button className="quiet" onPress={onLater}>
          {m.doubts.later}
        </Button>{' '}
        <Link to="/queues/$id/workitems/$workItemId" params={{ id: String(queueId), workItemId: String(id) }}>
          {m.items.open}
        </Link>
      </p>
    </article>
  );
}
