import { toId, type Id, type Schemas } from '@millrace/api';
import { useSuspenseInfiniteQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { isPaused } from '../live/effects.ts';
import { useKey } from '../page/keys.ts';
import { Sentence } from '../page/sentence.tsx';
import { exactly } from '../page/time.tsx';
import { useTitle } from '../page/title.ts';
import { queueQuery } from '../queues/queries.ts';
import { Remedies } from '../queues/reasons.tsx';
import { ItemActions } from './actions.tsx';
import { Answers } from './answers.tsx';
import { Attempts } from './attempts.tsx';
import { BulkMenu, type Opened } from './bulk.tsx';
import { EditButton } from './edit.tsx';
import { Evidence } from './evidence.tsx';
import { ItemFacts } from './facts.tsx';
import { Log } from './log.tsx';
import { m } from './messages.ts';
import { Neighbours } from './neighbours.tsx';
import { itemEventsQuery, itemQuery, whyQuery, type Item } from './queries.ts';
import { ItemData } from './reveal.tsx';
import { ItemStatus } from './status.tsx';
import { Timeline } from './timeline.tsx';
import { useTypes } from './use-types.ts';
import { Versions } from './versions.tsx';
import { actionsOn } from './bulk-rules.ts';
import css from './item.module.css';

export { loadItem as load } from './queries.ts';

/** One item: the reason for its state, its data, and everything that has happened to it. */
export function Page() {
  const { id, workItemId } = useParams({ from: '/frame/queues/$id/workitems/$workItemId' });
  const { data: item } = useSuspenseQuery(followed(itemQuery(toId(id), toId(workItemId))));
  const { data: queue } = useSuspenseQuery(queueQuery(toId(id)));
  const types = useTypes(queue);
  const { data: why } = useSuspenseQuery(whyQuery(toId(id), toId(workItemId)));
  const { events, onMore } = useEvents(toId(id), toId(workItemId));
  const mayRepair = queue.capabilities?.includes('repair') === true;
  useTitle(m.items.peek(workItemId), queue.name ?? id);
  return (
    <article className={`page ${css.item}`}>
      <header>
        <nav aria-label={m.common.breadcrumb}>
          <Link to="/queues">{m.queues.title}</Link> /{' '}
          <Link to="/queues/$id" params={{ id }}>
            {queue.name}
          </Link>{' '}
          /
        </nav>
        <h1>{m.items.peek(workItemId)}</h1>
        <ItemStatus item={item} />
        <Neighbours queueId={id} workItemId={workItemId} />
      </header>
      <p className={css.why}>
        <Sentence>{why.sentence}</Sentence>
        {why.expectedStartOn && ` ${m.item.expectedStart(exactly(why.expectedStartOn))}`}
      </p>
      <Remedies queueId={id} reasons={why.reasons} />
      {item.failureKind === 'IN_DOUBT' && <Question key={workItemId} item={item} mayRepair={mayRepair} />}
      <ItemActions item={item} queue={queue}>
        {mayRepair && (
          <>
            <EditButton item={item} types={types} />
            <MoreActions queue={queue} item={item} />
          </>
        )}
      </ItemActions>
      <div className={css.columns}>
        <section>
          <h2>{m.item.facts}</h2>
          <ItemFacts item={item} />
          <Attempts attempts={item.attempts ?? []} />
          <h2>{m.item.timeline}</h2>
          <Timeline events={events} onMore={onMore} />
        </section>
        <section>
          <ItemData item={item} Title="h2" />
          <Versions key={`${id} ${workItemId}`} events={events} />
          <Log attempts={item.attempts ?? []} />
        </section>
      </div>
    </article>
  );
}

/** The events that were read, and how to read on where there are more. */
function useEvents(id: Id, workItemId: Id) {
  const { data, hasNextPage, fetchNextPage } = useSuspenseInfiniteQuery(itemEventsQuery(id, workItemId));
  const events = useMemo(() => data.pages.flatMap(({ list }) => list), [data]);
  return { events, onMore: hasNextPage ? () => void fetchNextPage() : undefined };
}

/** An item in doubt makes the page a question, with all that is known beside it. */
function Question({ item, mayRepair }: { readonly item: Item; readonly mayRepair: boolean }) {
  return (
    <section aria-label={m.doubt.question}>
      <h2>{m.doubt.question}</h2>
      <Evidence item={item} />
      {mayRepair && <Answers item={item} confirm={m.doubt.confirm} />}
    </section>
  );
}

interface MoreProps {
  readonly queue: Schemas['Queue'];
  readonly item: Item;
}

/** The actions on many items, for this one: `d` defers it, `m` moves it to another queue. */
function MoreActions({ queue, item }: MoreProps) {
  const [opened, setOpened] = useState<Opened>();
  useKey('d', () => setOpened('DEFER'), m.bulk.DEFER);
  useKey('m', () => setOpened('MOVE'), m.bulk.MOVE);
  useKey('.', () => setOpened('menu'));
  return (
    <BulkMenu
      queue={queue}
      target={{ ids: [item.id ?? 0] }}
      allowed={actionsOn([item])}
      label={m.item.moreActions}
      opened={opened}
      onOpened={setOpened}
    />
  );
}

const secondsOfRunning = 2;

/** A bot's progress and output make no event: they are polled while it runs and somebody looks. */
function followed(query: ReturnType<typeof itemQuery>) {
  return {
    ...query,
    refetchInterval: ({ state }: { readonly state: { readonly data: Item | undefined } }) =>
      state.data?.status === 'IN_PROGRESS' && !isPaused.get() && secondsOfRunning * 1000,
  };
}
