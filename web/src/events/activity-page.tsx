import { toId } from '@millrace/api';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { EventsView } from './events-view.tsx';
import css from './events.module.css';

export { loadNames as load } from './queries.ts';

/** The events of a queue. */
export function Page() {
  const { id } = useParams({ from: '/frame/queues/$id' });
  const { q = '' } = useSearch({ from: '/frame/queues/$id/activity' });
  const navigate = useNavigate({ from: '/queues/$id/activity' });
  return (
    <div className={`page ${css.page}`}>
      <EventsView
        q={q}
        queueId={toId(id)}
        onFilter={(next) => void navigate({ search: next ? { q: next } : {} })}
      />
    </div>
  );
}
