import { toId, type Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Pin as PinIcon, PinOff } from 'lucide-react';
import { useRef, useState } from 'react';
import { Button } from 'react-aria-components';
import { useKey } from '../page/keys.ts';
import { useRows } from '../page/rows.ts';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { setPreference } from '../preferences/queries.ts';
import { CountsBar } from './counts.tsx';
import { failedPercent, pinnedAfter } from './list-rules.ts';
import { Ended, Oldest } from './lately.tsx';
import { m } from './messages.ts';
import { statsQuery } from './queries.ts';
import { RowActions, RowDialog, type ActionsProps, type Asked } from './row-actions.tsx';
import { QueueState } from './state.tsx';
import { Trend, withTrend } from './trend.tsx';
import css from './queues.module.css';

type Queue = Schemas['Queue'];

interface Props {
  readonly queues: readonly Queue[];
  /** By the ids of the queues. */
  readonly figures: ReadonlyMap<string, Schemas['QueueStats']>;
  /** Names, by the ids of models. */
  readonly models: ReadonlyMap<string, string>;
  readonly pinned: readonly string[];
  /** Told when an action on a queue is asked for. */
  readonly onAsk: ActionsProps['onAsk'];
}

export function QueueTable({ queues, figures, models, pinned, onAsk }: Props) {
  const table = useRef<HTMLTableElement>(null);
  const [asked, setAsked] = useState<Asked>();
  const [opened, setOpened] = useState<string>();
  useRows(table);
  useKey('.', () => {
    const row = table.current?.querySelector<HTMLElement>('[data-row]:focus-within');
    setOpened(row?.dataset['row']);
    return Boolean(row);
  });
  return (
    <div className="scroll">
      <table ref={table} className={`${css.table ?? ''} stacked`}>
        <thead>
          <tr>
            <th>{m.queues.name}</th>
            <th>{m.queues.state}</th>
            <th>{m.queues.counts}</th>
            <th className={css.number}>{m.queues.rate}</th>
            <th className={css.number}>{m.queues.failedRate}</th>
            <th>{m.queues.trend}</th>
            <th className={css.number}>{m.queues.oldest}</th>
            <th>{m.queues.model}</th>
            <th>{m.queues.owners}</th>
            <th className={css.number}>{m.queues.updated}</th>
          </tr>
        </thead>
        <tbody>
          {queues.map((queue, index) => (
            <Row
              key={String(queue.id)}
              queue={queue}
              figures={figures.get(String(queue.id))}
              model={models.get(String(queue.workItemModelId))}
              pinned={pinned}
              hasTrend={index < withTrend}
              isOpen={opened === String(queue.id)}
              onOpenChange={(isOpen) => setOpened(isOpen ? String(queue.id) : undefined)}
              onAsk={(one) => {
                setAsked(one);
                onAsk(one);
              }}
            />
          ))}
        </tbody>
      </table>
      <RowDialog asked={asked} onDone={() => setAsked(undefined)} />
    </div>
  );
}

interface RowProps extends Pick<Props, 'pinned'>, Omit<ActionsProps, 'queue'> {
  readonly queue: Queue;
  readonly figures: Schemas['QueueStats'] | undefined;
  /** The name of its model; undefined where one may not see it. */
  readonly model: string | undefined;
  readonly hasTrend: boolean;
}

function Row({ queue, figures, model, pinned, hasTrend, ...actions }: RowProps) {
  // The figures of archived queues are asked for one by one: they are few, and the call for all leaves them out.
  const { data: own } = useQuery({ ...statsQuery(queue.id ?? 0), enabled: queue.archived === true });
  const stats = figures ?? own;
  const failed = stats && failedPercent(stats);
  return (
    <tr data-row={String(queue.id)}>
      <th scope="row">
        <Link to="/queues/$id" params={{ id: String(queue.id) }}>
          <Text>{queue.name ?? ''}</Text>
        </Link>
        <span className={css.icons}>
          <Pin queue={queue} pinned={pinned} />
          <RowActions queue={queue} {...actions} />
        </span>
        {queue.description && (
          <small>
            <Text>{queue.description}</Text>
          </small>
        )}
      </th>
      <td>
        <QueueState queue={queue} />
      </td>
      <td>{stats && <CountsBar id={String(queue.id)} stats={stats} />}</td>
      <td className={css.number} data-label={m.queues.rate}>
        {stats && (
          <Ended stats={stats} as="COMPLETE">
            {m.number(stats.recent.throughputPerMinute)}
          </Ended>
        )}
      </td>
      <td className={css.number} data-label={m.queues.failedRate}>
        {stats && failed !== undefined && (
          <Ended stats={stats} as="FAILED">
            {m.number(failed)}
          </Ended>
        )}
      </td>
      <td>{hasTrend && <Trend queueId={queue.id ?? 0} />}</td>
      <td className={css.number} data-label={m.queues.oldest}>
        {stats && <Oldest stats={stats} />}
      </td>
      <td className={css.model} data-label={m.queues.model}>
        <Model id={String(queue.workItemModelId)} name={model} />
      </td>
      <td className={css.model} data-label={m.queues.owners}>
        <Text>{(queue.ownerNames ?? []).join(', ')}</Text>
      </td>
      <td className={css.number} data-label={m.queues.updated}>
        <Time on={queue.updatedOn} />
      </td>
    </tr>
  );
}

function Model({ id, name }: { readonly id: string; readonly name: string | undefined }) {
  if (name === undefined) return <span className="soft">{m.queues.modelOf(id)}</span>;
  return (
    <Link to="/workitemmodels/$id" params={{ id }}>
      <Text>{name}</Text>
    </Link>
  );
}

/** Pins a queue to the top of the list, for this user in any browser. */
function Pin({ queue: { id, name = '' }, pinned }: Pick<RowProps, 'queue' | 'pinned'>) {
  const key = String(id);
  const isPinned = pinned.includes(key);
  const label = isPinned ? m.queues.unpin(name) : m.queues.pin(name);
  const change = () => setPreference('pinnedQueueIds', pinnedAfter(pinned, key).map(toId));
  return (
    <Button className="icon" aria-label={label} onPress={() => void change().catch(() => undefined)}>
      {isPinned ? <PinOff size={14} aria-hidden="true" /> : <PinIcon size={14} aria-hidden="true" />}
    </Button>
  );
}
