import { CircleCheck, CircleDashed, CircleHelp, CircleX, Clock, LoaderCircle } from 'lucide-react';
import { m } from './messages.ts';
import type { Item } from './queries.ts';
import css from './work-items.module.css';

const icons = {
  NEW: CircleDashed,
  IN_PROGRESS: LoaderCircle,
  COMPLETE: CircleCheck,
  FAILED: CircleX,
  DEFERRED: Clock,
  IN_DOUBT: CircleHelp,
};

/** The status of an item: word, shape and colour; one in doubt differs from a failed one. */
export function ItemStatus({ item }: { readonly item: Pick<Item, 'status' | 'failureKind'> }) {
  const status = item.failureKind === 'IN_DOUBT' ? 'IN_DOUBT' : (item.status ?? 'NEW');
  const Icon = icons[status];
  return (
    <span className={css.status} data-status={status}>
      <Icon size={14} aria-hidden="true" />
      {m.status[status]}
    </span>
  );
}
