import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { Notice } from '../page/states.tsx';
import { Text } from '../page/text.tsx';
import { useTitle } from '../page/title.ts';
import { NewAutomation } from './form.tsx';
import { m } from './messages.ts';
import { automationsQuery, queuesQuery, useMay } from './queries.ts';
import { Table } from './table.tsx';

export { loadAutomations as load } from './queries.ts';

/** The automations: from which queue, by which bot and as whom, to which pool, and whether any device suits. */
export function Page() {
  const { queue } = useSearch({ from: '/frame/automations' });
  const { data } = useSuspenseQuery(automationsQuery());
  const mayCreate = useMay('runAutomations');
  useTitle(m.automations.title);
  const shown = data.list.filter(({ queueId }) => queue === undefined || String(queueId) === queue);
  return (
    <>
      <header className="head">
        <h1>{m.automations.title}</h1>
        <span className="soft">{m.automations.total(shown.length)}</span>
        {mayCreate ? (
          <NewAutomation queueId={queue} />
        ) : (
          <small className="soft">{m.automations.mayNotCreate}</small>
        )}
        {queue !== undefined && <OfQueue id={queue} isEmpty={shown.length === 0} />}
      </header>
      {queue === undefined && data.list.length === 0 && <None />}
      {shown.length > 0 && <Table automations={shown} />}
    </>
  );
}

/** That those of a queue only are shown, and the way to all. */
function OfQueue({ id, isEmpty }: { readonly id: string; readonly isEmpty: boolean }) {
  const { data: queues } = useSuspenseQuery(queuesQuery());
  const queue = queues.list.find((one) => String(one.id) === id);
  const name = queue?.name ?? m.automations.queue(id);
  return (
    <span>
      <Text>{isEmpty ? m.automations.emptyOf(name) : m.automations.ofQueue(name)}</Text>{' '}
      <Link to="/automations">{m.automations.all}</Link>
    </span>
  );
}

/** Whoever sees all knows that there is none; others may only not see them. */
function None() {
  const seesAll = useMay('viewDevices', 'manageDevices', 'viewAllQueues', 'manageAllQueues');
  return (
    <Notice title={seesAll ? m.automations.empty : m.automations.unseen}>
      <p>{m.automations.emptyText}</p>
      {!seesAll && <p>{m.automations.unseenText}</p>}
    </Notice>
  );
}
