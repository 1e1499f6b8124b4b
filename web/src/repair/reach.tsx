import type { Schemas } from '@millrace/api';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Over } from '../dialogs/ask.tsx';
import type { Compiled } from '../filters/compile.ts';
import { Arrivals } from '../work-items/arrivals.tsx';
import { BulkForm } from '../work-items/bulk-form.tsx';
import { ListNotice } from '../work-items/list-notice.tsx';
import type { ItemList } from '../work-items/use-items.ts';
import { m } from './messages.ts';
import type { Cluster } from './queries.ts';
import { alike, queryOf, type Edits } from './rules.ts';

interface Props {
  readonly queue: Schemas['Queue'];
  readonly list: ItemList;
  readonly filter: Compiled;
  readonly edits: Edits;
}

/** How many of the items are in the grid, which of them wait to come or go, and the same change for those that are not there. */
export function Reach({ queue, list, filter, edits }: Props) {
  const { items, total, lookedAt, waiting, show } = list;
  const [isOpen, setOpen] = useState(false);
  const same = alike(edits);
  const all = lookedAt === undefined ? total : undefined;
  const mayRepair = queue.capabilities?.includes('repair') === true;
  const isReady = mayRepair && Object.keys(same).length > 0;
  const close = () => setOpen(false);
  return (
    <>
      <Arrivals waiting={waiting} onShow={show} />
      {list.hasMore && (
        <>
          <span role="status">{m.repair.read(items.length, all)}</span>
          <Button isDisabled={!isReady} onPress={() => setOpen(true)}>
            {m.repair.sameForAll(all)}
          </Button>
        </>
      )}
      <Over isOpen={isOpen} onClose={close}>
        <BulkForm
          queue={queue}
          action="EDIT"
          target={{ filter }}
          filledIn={{ edits: same }}
          onClose={close}
        />
      </Over>
    </>
  );
}

interface NoticeProps extends Pick<Props, 'queue' | 'list'> {
  readonly cluster: Cluster;
}

/** The reason why the grid has no rows: they could not be read, the search has stopped, or there are none any more. */
export function BenchNotice({ queue, list, cluster }: NoticeProps) {
  const navigate = useNavigate();
  const toItems = (q: string) =>
    void navigate({ to: '/queues/$id', params: { id: String(queue.id) }, search: { q } });
  const isRead = !list.error && !list.isReading && list.lookedAt === undefined;
  if (isRead && list.items.length === 0) return <p role="status">{m.repair.noneLeft}</p>;
  return <ListNotice queue={queue} q={queryOf(cluster)} list={list} onFilter={toItems} />;
}
