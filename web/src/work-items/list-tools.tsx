import { Link as LinkIcon } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Button } from 'react-aria-components';
import { Arrivals } from './arrivals.tsx';
import type { ItemColumn } from './columns.tsx';
import { ListColumns } from './list-columns.tsx';
import { m } from './messages.ts';
import type { ItemList } from './use-items.ts';
import css from './work-items.module.css';

interface Props {
  readonly all: readonly ItemColumn[];
  readonly shown: readonly ItemColumn[];
  readonly list: ItemList;
  readonly onColumns: (cols: string) => void;
  /** The actions on the items. */
  readonly children: ReactNode;
}

/** The number of items, and the choice of columns. */
export function ListTools({ all, shown, list, onColumns, children }: Props) {
  return (
    <div className={css.tools}>
      <span role="status">{countOf(list)}</span>
      <Arrivals waiting={list.waiting} onShow={list.show} />
      {children}
      <CopyLink />
      <ListColumns all={all} shown={shown} onColumns={onColumns} />
    </div>
  );
}

function countOf({ total, all, isEstimated, items, lookedAt }: ItemList): string {
  if (total === undefined || lookedAt !== undefined) return items.length ? m.items.loaded(items.length) : '';
  if (all === undefined || all === total) return m.items.total(total, isEstimated);
  return m.items.of(total, all, isEstimated);
}

function CopyLink() {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(location.href);
    setCopied(true);
  };
  return (
    <Button
      className="quiet"
      onPress={() => void copy().catch(() => undefined)}
      onBlur={() => setCopied(false)}
    >
      <LinkIcon size={14} aria-hidden="true" /> {isCopied ? m.items.copied : m.items.copyLink}
    </Button>
  );
}
