import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Button, Input, SearchField } from 'react-aria-components';
import { Command, Notice } from '../page/states.tsx';
import { useTitle } from '../page/title.ts';
import { m } from './messages.ts';
import { queuesQuery, useMayCreate } from './queries.ts';
import { QueueTable } from './table.tsx';
import css from './queues.module.css';

export { loadQueues as load } from './queries.ts';

export function Page() {
  const { q = '' } = useSearch({ from: '/frame/queues' });
  const navigate = useNavigate({ from: '/queues' });
  const { data } = useSuspenseQuery(queuesQuery());
  const mayCreate = useMayCreate();
  useTitle(m.queues.title);
  const search = (text: string) => void navigate({ search: text ? { q: text } : {}, replace: true });
  const found = data.list.filter(({ name = '' }) => name.toLowerCase().includes(q.toLowerCase()));
  return (
    <>
      <header className={css.head}>
        <h1>{m.queues.title}</h1>
        <span className={css.total}>{m.queues.total(data.page.total)}</span>
        {mayCreate ? (
          <Link to="/queues/new">{m.queues.newQueue}</Link>
        ) : (
          <small className={css.total}>{m.queues.mayNotCreate}</small>
        )}
        <SearchField aria-label={m.queues.filter} value={q} onChange={search} className={css.search}>
          <Input placeholder={m.queues.filter} />
        </SearchField>
      </header>
      {data.list.length === 0 && <NoQueues />}
      {data.list.length > 0 && found.length === 0 && (
        <Notice title={m.queues.noMatch(q)}>
          <Button onPress={() => search('')}>{m.queues.clear}</Button>
        </Notice>
      )}
      {found.length > 0 && <QueueTable queues={found} />}
    </>
  );
}

function NoQueues() {
  return (
    <Notice title={m.queues.empty}>
      <p>{m.queues.emptyText}</p>
      <Command>{`millrace model create --json '{"name":"Invoice","attributes":[{"name":"number","type":"TEXT"}]}'\nmillrace queue create --json '{"name":"Invoices","workItemModelId":1}'`}</Command>
    </Notice>
  );
}
