import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Text } from '../page/text.tsx';
import { usePreferences } from '../preferences/preferences.ts';
import { m } from './messages.ts';
import { doubtsCountQuery, pinnedQuery } from './queries.ts';
import css from './shell.module.css';

/** How many items are in doubt; nothing where there are none. */
export function Doubts() {
  const { data } = useQuery(doubtsCountQuery());
  if (!data || data.total === 0) return undefined;
  return (
    <span className={css.badge}>
      {m.number(data.total)} <span className="unseen">{m.shell.inDoubt}</span>
    </span>
  );
}

const mostPinned = 10;

/** The queues that the user has pinned. */
export function Pinned() {
  const ids = (usePreferences().pinnedQueueIds ?? []).slice(0, mostPinned);
  const { data } = useQuery({ ...pinnedQuery(ids), enabled: ids.length > 0 });
  if (ids.length === 0) return undefined;
  return data?.list.map(({ id, name = '' }) => (
    <Link
      key={String(id)}
      to="/queues/$id"
      params={{ id: String(id) }}
      className={`${css.place ?? ''} ${css.pinned ?? ''}`}
      data-wide="true"
      activeProps={{ 'aria-current': 'page' }}
      title={name}
    >
      <span>
        <Text>{name}</Text>
      </span>
    </Link>
  ));
}
