import { useSuspenseQuery } from '@tanstack/react-query';
import { Notice } from '../page/states.tsx';
import { useTitle } from '../page/title.ts';
import { NewAutomation } from './form.tsx';
import { m } from './messages.ts';
import { automationsQuery, useMay } from './queries.ts';
import { Table } from './table.tsx';

export { loadAutomations as load } from './queries.ts';

/** The automations: queue, bot, user and pool of each, and whether any device suits. */
export function Page() {
  const { data } = useSuspenseQuery(automationsQuery());
  useTitle(m.automations.title);
  return (
    <>
      <header className="head">
        <h1>{m.automations.title}</h1>
        <span className="soft">{m.automations.total(data.list.length)}</span>
        <NewAutomation />
      </header>
      {data.list.length > 0 ? <Table automations={data.list} /> : <None />}
    </>
  );
}

/** Only users who see all know that there is none; others may lack the permission. */
function None() {
  const seesAll = useMay('viewDevices', 'manageDevices', 'viewAllQueues', 'manageAllQueues');
  return (
    <Notice title={seesAll ? m.automations.empty : m.automations.unseen}>
      <p>{m.automations.emptyText}</p>
      {!seesAll && <p>{m.automations.unseenText}</p>}
    </Notice>
  );
}
