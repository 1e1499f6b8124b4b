import { toId } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Text } from '../page/text.tsx';
import { useTitle } from '../page/title.ts';
import { queueQuery } from '../queues/queries.ts';
import { NewAutomation } from './form.tsx';
import { m } from './messages.ts';
import { automationsQuery } from './queries.ts';
import { Table } from './table.tsx';
import css from './automations.module.css';

export { loadAutomations as load } from './queries.ts';

/** The automations that send the items of a queue, as far as one may see them. */
export function Page() {
  const { id } = useParams({ from: '/frame/queues/$id/automations' });
  const { data: queue } = useSuspenseQuery(queueQuery(toId(id)));
  const { data } = useSuspenseQuery(automationsQuery());
  const name = queue.name ?? id;
  useTitle(m.automations.title, name);
  const own = data.list.filter(({ queueId }) => String(queueId) === id);
  return (
    <>
      <header className={`head ${css.tab ?? ''}`}>
        <h2>{m.automations.title}</h2>
        <NewAutomation queueId={id} />
        <Link to="/automations">{m.automations.all}</Link>
      </header>
      {own.length > 0 ? (
        <Table automations={own} />
      ) : (
        <p className="head">
          <Text>{m.automations.emptyOf(name)}</Text>
        </p>
      )}
    </>
  );
}
