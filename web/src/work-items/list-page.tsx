import { toId, type Schemas } from '@millrace/api';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { compile, type Compiled, type Fields } from '../filters/compile.ts';
import { fieldsOfItems } from '../filters/item-fields.ts';
import { FilterProblem, parse } from '../filters/parse.ts';
import { modelQuery, queueQuery } from '../queues/queries.ts';
import { timeZone } from '../store/preferences.ts';
import { useStore } from '../store/store.ts';
import { FilterLine } from './filter-line.tsx';
import { ItemsGrid, type ListSearch } from './items-grid.tsx';
import { Peek } from './peek.tsx';
import css from './work-items.module.css';

export function Page() {
  const { id } = useParams({ from: '/frame/queues/$id' });
  const search: ListSearch = useSearch({ from: '/frame/queues/$id/' });
  const navigate = useNavigate({ from: '/queues/$id' });
  const { data: queue } = useSuspenseQuery(queueQuery(toId(id)));
  const fields = useFields(queue);
  const zone = useStore(timeZone);
  const { filter, problem } = useMemo(
    () => understood(search.q ?? '', fields, zone),
    [search.q, fields, zone],
  );
  const change = useCallback(
    (next: ListSearch, replace = false) => void navigate({ search: (now) => ({ ...now, ...next }), replace }),
    [navigate],
  );
  return (
    <div className={css.items}>
      <div className={css.list}>
        <FilterLine
          q={search.q ?? ''}
          fields={fields}
          problem={problem}
          onChange={(q) => change({ q: q || undefined, peek: undefined })}
        />
        {problem === undefined && (
          <ItemsGrid queue={queue} filter={filter} search={search} onChange={change} />
        )}
      </div>
      {search.peek !== undefined && (
        <Peek queueId={toId(id)} workItemId={search.peek} onClose={() => change({ peek: undefined })} />
      )}
    </div>
  );
}

function useFields(queue: Schemas['Queue']): Fields {
  const { data: model } = useQuery(modelQuery(queue.workItemModelId ?? 0));
  return useMemo(() => fieldsOfItems(queue, model), [queue, model]);
}

/** The filter as in the contract, or its problem: then nothing is asked for. */
function understood(q: string, fields: Fields, zone: string): { filter?: Compiled; problem?: string } {
  try {
    const written = parse(q);
    return written ? { filter: compile(written, fields, { now: new Date(), zone }) } : {};
  } catch (error) {
    if (error instanceof FilterProblem) return { problem: error.message };
    throw error;
  }
}
