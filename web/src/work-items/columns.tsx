import type { Schemas } from '@millrace/api';
import { Link } from '@tanstack/react-router';
import type { Column } from '../grid/props.ts';
import { Mask } from '../json/mask.tsx';
import { maskText } from '../json/masks.ts';
import { Text } from '../page/text.tsx';
import { Remaining, Time } from '../page/time.tsx';
import { Holder } from './holder.tsx';
import { m } from './messages.ts';
import type { Item } from './queries.ts';
import { ItemStatus } from './status.tsx';
import css from './work-items.module.css';

/** A column, and the members of an item that it shows. */
export interface ItemColumn extends Column<Item> {
  readonly members: readonly string[];
}

const defaults = ['status', 'priority', 'createdOn', 'updatedOn', 'retryCount', 'error'];
const columnsShown = 4;

/** All columns that the items of a queue can have. */
export function columnsOf(queue: Schemas['Queue']): ItemColumn[] {
  const named = (queue.displayColumns ?? []).map((name, index) => displayColumn(name, `col${index + 1}`));
  return [idColumn(String(queue.id)), ...leading, ...named, ...trailing];
}

/** The columns to show, after that of the id: those of the address in its order, or the most wanted ones. */
export function shownColumns(all: readonly ItemColumn[], cols: string | undefined): readonly ItemColumn[] {
  const [id, ...others] = all;
  const chosen =
    cols === undefined
      ? others.filter((one) => defaults.includes(one.id) || isEarly(one.id))
      : [...new Set(cols.split(','))].flatMap((name) => others.find((one) => one.id === name) ?? []);
  return id ? [id, ...chosen] : chosen;
}

function isEarly(id: string): boolean {
  return id.startsWith('col') && Number(id.slice(3)) <= columnsShown;
}

function idColumn(queueId: string): ItemColumn {
  return {
    id: 'id',
    title: m.items.id,
    width: '5.5rem',
    sort: 'id',
    members: ['id'],
    cell: ({ id }) => (
      <Link
        to="/queues/$id/workitems/$workItemId"
        params={{ id: queueId, workItemId: String(id) }}
        className="id"
        tabIndex={-1}
        onClick={(event) => event.stopPropagation()}
      >
        {String(id)}
      </Link>
    ),
  };
}

function displayColumn(name: string, id: string): ItemColumn {
  return {
    id,
    title: name,
    width: 'minmax(7rem, 1fr)',
    sort: id,
    members: [id],
    cell: (item) => {
      const value = item[id as 'col1'] ?? '';
      return value === maskText ? <Mask /> : <Text>{value}</Text>;
    },
  };
}

const leading: ItemColumn[] = [
  {
    id: 'status',
    title: m.items.status,
    width: '7.4rem',
    sort: 'status',
    members: ['status', 'failureKind'],
    cell: (item) => <ItemStatus item={item} />,
  },
];

const trailing: ItemColumn[] = [
  {
    id: 'priority',
    title: m.items.priority,
    width: '2.6rem',
    isNumber: true,
    sort: 'priority',
    members: ['priority'],
    cell: ({ priority }) => priority,
  },
  timeColumn('createdOn', m.items.created),
  timeColumn('updatedOn', m.items.updated),
  {
    id: 'retryCount',
    title: m.items.tries,
    width: '3rem',
    isNumber: true,
    sort: 'retryCount',
    members: ['retryCount'],
    cell: ({ retryCount }) => retryCount,
  },
  {
    id: 'error',
    title: m.items.error,
    width: 'minmax(10rem, 2fr)',
    members: ['error'],
    cell: ({ error = '' }) => <Text>{error.split('\n', 1)[0] ?? ''}</Text>,
  },
  { ...textColumn('failureKind', m.items.kind), width: '6rem' },
  {
    id: 'tags',
    title: m.items.tags,
    width: 'minmax(6rem, 1fr)',
    members: ['tags'],
    cell: ({ tags = [] }) =>
      tags.map((tag) => (
        <span key={tag} className={css.tag}>
          <Text>{tag}</Text>
        </span>
      )),
  },
  {
    id: 'deviceId',
    title: m.items.device,
    width: 'minmax(8rem, 1fr)',
    sort: 'deviceId',
    members: ['deviceId', 'status', 'progress'],
    cell: (item) => <Holder item={item} />,
  },
  {
    id: 'leaseExpiresOn',
    title: m.items.lease,
    width: '6rem',
    sort: 'leaseExpiresOn',
    members: ['leaseExpiresOn'],
    cell: ({ leaseExpiresOn }) => leaseExpiresOn && <Remaining until={leaseExpiresOn} />,
  },
  { ...textColumn('lapseCount', m.items.lapses), width: '3.6rem', isNumber: true },
  timeColumn('deferredUntil', m.items.due),
  timeColumn('startTime', m.items.begun),
  timeColumn('endTime', m.items.ended),
  { ...textColumn('batchId', m.items.batch), width: '5rem', isNumber: true },
];

type TimeMember = 'createdOn' | 'updatedOn' | 'deferredUntil' | 'startTime' | 'endTime';

function timeColumn(id: TimeMember, title: string): ItemColumn {
  return { id, title, width: '6.5rem', sort: id, members: [id], cell: (item) => <Time on={item[id]} /> };
}

function textColumn(id: 'failureKind' | 'lapseCount' | 'batchId', title: string) {
  return { id, title, sort: id, members: [id], cell: (item: Item) => String(item[id] ?? '') };
}
