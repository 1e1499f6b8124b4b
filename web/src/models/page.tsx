import type { Schemas } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Notice } from '../page/states.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { useTitle } from '../page/title.ts';
import { m } from './messages.ts';
import { modelsQuery } from './queries.ts';
import { QueuesOf } from './queues-of.tsx';
import css from './models.module.css';

export { loadModels as load } from './queries.ts';

/** The models, each with the queues that use it. */
export function Page() {
  const { data } = useSuspenseQuery(modelsQuery());
  useTitle(m.models.title);
  if (data.list.length === 0)
    return (
      <Notice title={m.models.empty}>
        <p>{m.models.emptyText}</p>
        <Link to="/queues/new">{m.models.newQueue}</Link>
      </Notice>
    );
  return (
    <div className={css.page}>
      <h1>{m.models.title}</h1>
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
            {data.list.map((model) => (
              <Row key={String(model.id)} model={model} />
            ))}
          </tbody>
        </table>
      </div>
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
