import { stringifyJson, type Id } from '@millrace/api';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { deviceName } from '../page/device-name.ts';
import type { Clock } from '../filters/compile.ts';
import { FilterProblem, parse } from '../filters/parse.ts';
import { queuesQuery } from '../queues/queries.ts';
import { timeZone } from '../store/preferences.ts';
import { useStore } from '../store/store.ts';
import { FilterLine } from '../work-items/filter-line.tsx';
import { Density } from './density.tsx';
import { FeedList } from './feed-list.tsx';
import { m } from './messages.ts';
import { devicesQuery, namesOf, usersQuery } from './queries.ts';
import { eventQueryOf, fieldsOfEvents, recorded, type EventQuery, type Known } from './rules.ts';
import { Tools } from './tools.tsx';
import css from './events.module.css';

interface Props {
  readonly q: string;
  /** The queue on whose page it is. */
  readonly queueId?: Id;
  readonly onFilter: (q: string) => void;
}

/** Events by a filter, the newest first, with new ones as they come in. */
export function EventsView({ q, queueId, onFilter }: Props) {
  const known = useKnown();
  const fields = useMemo(() => fieldsOfEvents(known), [known]);
  // Times such as now-1h count from when they were asked for: otherwise each render would be another list.
  const zone = useStore(timeZone);
  const asked = useMemo(() => ({ q, clock: { now: new Date(), zone } }), [q, zone]);
  const { query, problem } = useMemo(() => understood(asked, known, queueId), [asked, known, queueId]);
  return (
    <>
      <div className={css.filter}>
        <FilterLine q={q} fields={fields} problem={problem} example={m.events.example} onChange={onFilter} />
      </div>
      <Tools q={q} query={query} onFilter={onFilter} />
      {query && <Density q={q} query={query} onFilter={onFilter} />}
      {query && (
        <FeedList
          key={stringifyJson(query)}
          query={query}
          q={q}
          understand={(line) => understood({ ...asked, q: line }, known, queueId).query}
          onFilter={onFilter}
        />
      )}
    </>
  );
}

function useKnown(): Known {
  const { data: queues } = useSuspenseQuery(queuesQuery());
  const { data: devices } = useSuspenseQuery(devicesQuery());
  const { data: users } = useQuery(usersQuery());
  return useMemo(
    () => ({
      queues: namesOf(queues.list),
      devices: namesOf(devices.list.map((device) => ({ id: device.id, name: deviceName(device) }))),
      users: namesOf((users?.list ?? []).map(({ id, username }) => ({ id, name: username }))),
      operations: recorded,
    }),
    [queues, devices, users],
  );
}

function understood(
  { q, clock }: { readonly q: string; readonly clock: Clock },
  known: Known,
  queueId: Id | undefined,
): { readonly query?: EventQuery; readonly problem?: string } {
  try {
    return { query: eventQueryOf(parse(q), known, clock, queueId) };
  } catch (error) {
    if (error instanceof FilterProblem) return { problem: error.message };
    throw error;
  }
}
