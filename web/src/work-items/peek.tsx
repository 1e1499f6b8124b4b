import { toId, type Id } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { X } from 'lucide-react';
import { Button } from 'react-aria-components';
import { Skeleton } from '../page/states.tsx';
import { ItemFacts } from './facts.tsx';
import { m } from './messages.ts';
import { itemQuery, type Item } from './queries.ts';
import { ItemData } from './reveal.tsx';
import { ItemStatus } from './status.tsx';
import css from './work-items.module.css';

interface Props {
  readonly queueId: Id;
  readonly workItemId: string;
  readonly onClose: () => void;
}

/** An item beside the list it is in. */
export function Peek({ queueId, workItemId, onClose }: Props) {
  const { data, error } = useQuery(itemQuery(queueId, toId(workItemId)));
  const params = { id: String(queueId), workItemId };
  return (
    <aside className={css.peek} aria-label={m.items.peek(workItemId)}>
      <header>
        <h2>{m.items.peek(workItemId)}</h2>
        <Link to="/queues/$id/workitems/$workItemId" params={params}>
          {m.items.open}
        </Link>
        <Button className="icon" aria-label={m.items.closePeek} onPress={onClose}>
          <X size={16} aria-hidden="true" />
        </Button>
      </header>
      {error && <p className="problem">{error.message}</p>}
      {data ? <Content item={data} /> : !error && <Skeleton />}
    </aside>
  );
}

function Content({ item }: { readonly item: Item }) {
  return (
    <>
      <ItemStatus item={item} />
      <ItemFacts item={item} />
      <ItemData item={item} />
    </>
  );
}
