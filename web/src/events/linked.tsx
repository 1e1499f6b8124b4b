import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Notice } from '../page/states.tsx';
import { exactly } from '../page/time.tsx';
import { EventLine } from './event-line.tsx';
import { m } from './messages.ts';
import { eventQuery } from './queries.ts';
import css from './events.module.css';

/** The one event that a link names. */
export function Linked({ cursor }: { readonly cursor: string }) {
  const { data, error } = useQuery(eventQuery(cursor));
  const [event] = data?.list ?? [];
  const all = <Link to="/events">{m.events.showAll}</Link>;
  if (error) return <Notice title={m.events.refused}>{error.message}</Notice>;
  if (!data) return undefined;
  if (event?.cursor !== cursor) return <Notice title={m.events.noLinked}>{all}</Notice>;
  return (
    <section className={css.days} aria-label={m.events.linked}>
      <h2>{exactly(event.on)}</h2>
      <ol>
        <EventLine line={{ event, all: [event] }} isOpened />
      </ol>
      {all}
    </section>
  );
}
