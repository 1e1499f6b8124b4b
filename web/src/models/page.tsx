import type { Schemas } from '@millrace/api';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Choice } from '../page/fields.tsx';
import { Notice } from '../page/states.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { useTitle } from '../page/title.ts';
import { m } from './messages.ts';
import { archivedQuery, modelsQuery } from './queries.ts';
import { QueuesOf } from './queues-of.tsx';
import css from './models.module.css';

export { loadModels as load } from './queries.ts';

/** The models, each with the queues that use it: those that new queues can use, or the archived ones. */
export function Page() {
  const { state } = useSearch({ from: '/frame/workitemmodels' });
  const navigate = useNavigate({ from: '/workitemmodels' });
  const { data: current } = useSuspenseQuery(modelsQuery());
  const { data: archived } = useQuery({ ...archivedQuery(), enabled: state !== undefined });
  const models = state === undefined ? current : archived;
  useTitle(m.models.title);
  return (
    <div className="page">
      <header className={css.head}>
        <h1>{m.models.title}</h1>
        <Choice
          label={m.models.which}
          value={state ?? ''}
          none={m.models.current}
          choices={{ archived: m.models.archivedOnes }}
          onChange={(chosen) => void navigate({ search: chosen ? { state: chosen } : {}, replace: true })}
        />
      </header>
      {models?.list.length === 0 && <None isArchived={state !== undefined} />}
      {models && models.list.length > 0 && <Table models={models.list} />}
    </div>
  );
}

function None({ isArchived }: { readonly isArchived: boolean }) {
  if (isArchived) return <Notice title={m.models.noArchived} />;
  return (
    <Notice title={m.models.empty}>
      <p>{m.models.emptyText}</p>
      <Link to="/queues/new">{m.models.newQueue}</Link>
    </Notice>
  );
}

function Table({ models }: { readonly models: readonly Schemas['WorkItemModel'][] }) {
  return (
    <div className={css.scroll}>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{m.models.name}</th>
            <th scope="col">{m.models.attributes}</th>
            <th scope="col">{m.models.queues}</th>
            <th scope="col">{m.models.version}</th>
            <th scope="col">{m.models.changed}</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <Row key={String(model.id)} model={model} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ model }: { readonly model: Schemas['WorkItemModel'] }) {
  return (
    <tr>
      <th scope="row">
        <Link to="/workitemmodels/$id" params={{ id: String(model.id) }}>
          <Text>{model.name ?? ''}</Text>
        </Link>
      </th>
      <td>
        <Text>{(model.attributes ?? []).map(({ name }) => name).join(', ')}</Text>
      </td>
      <td>
        <QueuesOf model={model} />
      </td>
      <td>{model.version}</td>
      <td>
        <Time on={model.updatedOn} />
      </td>
    </tr>
  );
}
