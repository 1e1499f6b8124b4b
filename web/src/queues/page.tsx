import type { Output, Schemas } from '@millrace/api';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Button, Input, SearchField } from 'react-aria-components';
import { usePreferences } from '../preferences/preferences.ts';
import { Command, Notice } from '../page/states.tsx';
import { useTitle } from '../page/title.ts';
import { wantedOf, type State } from './list-rules.ts';
import { m } from './messages.ts';
import { archivedQueuesQuery, figuresQuery, modelNamesQuery, queuesQuery, useMay } from './queries.ts';
import { useFocusKept } from './row-actions.tsx';
import { QueueTable } from './table.tsx';
import css from './queues.module.css';

export { loadQueues as load } from './queries.ts';

export function Page() {
  const { q = '', state, model } = useSearch({ from: '/frame/queues' });
  const navigate = useNavigate({ from: '/queues' });
  const data = useListed(state === 'archived');
  const { data: stats } = useQuery(figuresQuery());
  const { data: names } = useQuery(modelNamesQuery());
  const pinned = (usePreferences().pinnedQueueIds ?? []).map(String);
  const mayCreate = useMay('createQueues');
  useTitle(m.queues.title);
  const search = (some: Search) =>
    void navigate({ search: clean({ q, state, model, ...some }), replace: true });
  const figures = new Map(stats?.list.map((one) => [String(one.queueId), one]));
  const models = new Map(names?.list.map(({ id, name = '' }) => [String(id), name]));
  const wanted = { text: q, state: state as State | undefined, model, pinned };
  const found = wantedOf(data.list, figures, wanted);
  const onAsk = useFocusKept(found);
  return (
    <>
      <header className={css.head}>
        <h1>{m.queues.title}</h1>
        <span className="soft">
          {m.queues.total(data.page.totalFilter)}{' '}
          {data.page.totalFilter > data.list.length && m.queues.cut(data.list.length)}
        </span>
        {mayCreate ? (
          <Link to="/queues/new">{m.queues.newQueue}</Link>
        ) : (
          <small className="soft">{m.queues.mayNotCreate}</small>
        )}
        <Narrow q={q} state={state} model={model} models={modelsOf(data.list, models)} onSearch={search} />
      </header>
      {data.list.length === 0 && state === undefined && <NoQueues />}
      {(data.list.length > 0 || state !== undefined) && found.length === 0 && (
        <Notice title={q === '' ? m.queues.noneSo : m.queues.noMatch(q)}>
          <Button onPress={() => search({ q: '', state: undefined, model: undefined })}>
            {m.queues.clear}
          </Button>
        </Notice>
      )}
      {found.length > 0 && <QueueTable queues={found} {...{ figures, models, pinned, onAsk }} />}
    </>
  );
}

const nothing: Output<'listQueues'> = { page: { offset: 0, total: 0, totalFilter: 0 }, list: [] };

/** The queues that are there, or those that are put aside. */
function useListed(isArchived: boolean): Output<'listQueues'> {
  const { data } = useSuspenseQuery(queuesQuery());
  const { data: archived } = useQuery({ ...archivedQueuesQuery(), enabled: isArchived });
  return isArchived ? (archived ?? nothing) : data;
}

interface Search {
  readonly q?: string | undefined;
  readonly state?: string | undefined;
  readonly model?: string | undefined;
}

const clean = ({ q, state, model }: Search) => ({
  ...(q && { q }),
  ...(state && { state }),
  ...(model && { model }),
});

type Names = ReadonlyMap<string, string>;

/** The models of the listed queues, by name. */
function modelsOf(queues: readonly Schemas['Queue'][], names: Names): [string, string][] {
  const ids = new Set(queues.map(({ workItemModelId }) => String(workItemModelId)));
  return [...names].filter(([id]) => ids.has(id));
}

interface NarrowProps extends Search {
  /** The models to choose from, by id. */
  readonly models: readonly [string, string][];
  readonly onSearch: (some: Search) => void;
}

/** The choice by a part of the name, by state and by model. */
function Narrow({ q = '', state, model, models, onSearch }: NarrowProps) {
  return (
    <span className="narrow">
      <SearchField aria-label={m.queues.filter} value={q} onChange={(text) => onSearch({ q: text })}>
        <Input placeholder={m.queues.filter} />
      </SearchField>
      <select
        aria-label={m.queues.which}
        value={state ?? ''}
        onChange={({ target }) => onSearch({ state: target.value })}
      >
        <option value="">{m.queues.every}</option>
        {Object.entries(m.queues.states).map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
      {(models.length > 1 || model !== undefined) && (
        <select
          aria-label={m.queues.whichModel}
          value={model ?? ''}
          onChange={({ target }) => onSearch({ model: target.value })}
        >
          <option value="">{m.queues.everyModel}</option>
          {models.map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      )}
    </span>
  );
}

function NoQueues() {
  return (
    <Notice title={m.queues.empty}>
      <p>{m.queues.emptyText}</p>
      <Command>{`millrace model create --name Invoice --attributes '[{"name":"number","type":"TEXT"}]'\nmillrace queue create --name Invoices --work-item-model-id Invoice`}</Command>
    </Notice>
  );
}
