import { useSearch, useNavigate } from '@tanstack/react-router';
import { useTitle } from '../page/title.ts';
import { EventsView } from './events-view.tsx';
import { Linked } from './linked.tsx';
import { m } from './messages.ts';
import css from './events.module.css';

export { loadNames as load } from './queries.ts';

/** The events of everything that the user may see. */
export function Page() {
  const { q = '', event } = useSearch({ from: '/frame/events' });
  const navigate = useNavigate({ from: '/events' });
  useTitle(m.events.title);
  return (
    <div className={`page ${css.page}`}>
      <h1>{m.events.title}</h1>
      {event === undefined ? (
        <EventsView q={q} onFilter={(next) => void navigate({ search: next ? { q: next } : {} })} />
      ) : (
        <Linked cursor={event} />
      )}
    </div>
  );
}
