import { stringifyJson } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { changesBetween, type Change } from '../dialogs/changes.ts';
import { JsonView } from '../json/json-view.tsx';
import { LongText } from '../page/long-text.tsx';
import { Text } from '../page/text.tsx';
import { dataChangeIn } from '../work-items/edit-rules.ts';
import { Changes } from '../work-items/changes.tsx';
import { m } from './messages.ts';
import { earlierQuery } from './queries.ts';
import { toldBy, type Event, type Line } from './rules.ts';
import css from './events.module.css';

const mostLinks = 100;

/** An event in full: its changes, with former values as far as known, and the record itself. */
export function Details({ line: { event, all } }: { readonly line: Line }) {
  return (
    <div className={css.details}>
      {all.length > 1 && <Items events={all} />}
      {event.changes && <Difference event={event} />}
      <details>
        <summary>{m.events.json}</summary>
        <JsonView value={event} label={m.events.json} />
      </details>
      <CopyLink cursor={event.cursor} />
    </div>
  );
}

/** The items of the events in one line. */
function Items({ events }: { readonly events: readonly Event[] }) {
  return (
    <p className={css.items}>
      {events.slice(0, mostLinks).map(({ cursor, queueId, itemId }) => (
        <Link
          key={cursor}
          className="id"
          to="/queues/$id/workitems/$workItemId"
          params={{ id: String(queueId), workItemId: String(itemId) }}
        >
          {String(itemId)}
        </Link>
      ))}
      {events.length > mostLinks && ' …'}
    </p>
  );
}

function Difference({ event }: { readonly event: Event }) {
  const { data } = useQuery(earlierQuery(event));
  if (!data) return undefined;
  const { data: changed, others } = differenceIn(event, data);
  return (
    <>
      {others.length > 0 && (
        <table className={css.diff}>
          <caption className="unseen">{m.events.changes}</caption>
          <thead>
            <tr>
              <th>{m.events.member}</th>
              <th>{m.events.before}</th>
              <th>{m.events.after}</th>
            </tr>
          </thead>
          <tbody>
            {others.map(({ name, before, after }) => (
              <tr key={name}>
                <th scope="row">
                  <Text>{name}</Text>
                </th>
                <td data-side="before">
                  {before === undefined ? <i>{m.events.unknown}</i> : <Value value={before} />}
                </td>
                <td data-side="after">
                  <Value value={after} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {changed && <Changes changes={changed} before={m.events.before} after={m.events.after} />}
    </>
  );
}

/** The changes of an event; the data of an item attribute by attribute. @param earlier the newest first */
function differenceIn(event: Event, earlier: readonly Event[]) {
  const { json, ...changes } = event.changes ?? {};
  const isOfItem = event.itemId !== undefined && json !== undefined;
  const others = toldBy(isOfItem ? { ...event, changes } : event, earlier);
  return { data: isOfItem ? dataOf(event, earlier) : undefined, others };
}

function dataOf(event: Event, earlier: readonly Event[]): readonly Change[] {
  const told = dataChangeIn(event, earlier.toReversed());
  return told ?? changesBetween({}, event.changes?.['json'] as Readonly<Record<string, unknown>>);
}

function Value({ value }: { readonly value: unknown }) {
  return (
    <code>
      <LongText>{typeof value === 'string' ? value : stringifyJson(value)}</LongText>
    </code>
  );
}

function CopyLink({ cursor }: { readonly cursor: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(
      `${location.origin}${import.meta.env.BASE_URL}events?event=${cursor}`,
    );
    setCopied(true);
  };
  return (
    <Button
      className="quiet"
      onPress={() => void copy().catch(() => undefined)}
      onBlur={() => setCopied(false)}
    >
      {isCopied ? m.events.copied : m.events.link}
    </Button>
  );
}
