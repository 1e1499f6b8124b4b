import type { Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { Button } from 'react-aria-components';
import { deviceName } from '../page/device-name.ts';
import { Text } from '../page/text.tsx';
import { exactly, Time } from '../page/time.tsx';
import { usePreferences } from '../preferences/preferences.ts';
import { setPreference } from '../preferences/queries.ts';
import { shapeOf } from '../repair/rules.ts';
import { m } from './messages.ts';
import { cursorOfNow, mostTold, sinceQuery, type Told } from './queries.ts';
import { bornSince } from './rules.ts';
import css from './overview.module.css';

const place = 'millrace.looked';
const form = /^\d{1,20}-\d{1,19}$/;

/** The cursor of the last look in this browser; text that is no cursor counts as none. */
function keptCursor(): string | undefined {
  const text = localStorage.getItem(place) ?? '';
  return form.test(text) ? text : undefined;
}

interface SinceProps {
  /** For the names in the events. */
  readonly devices: readonly Schemas['Device'][];
  /** For new causes. */
  readonly clusters: readonly Schemas['FailureCluster'][];
}

/** The actions and events since the last look, for a handover. */
export function Since(props: SinceProps) {
  const [kept, setKept] = useState(keptCursor);
  // A look in another browser counts as well.
  const cursor = usePreferences().lookedUpTo ?? kept;
  const [isFirst, setFirst] = useState(cursor === undefined);
  const look = async () => {
    const now = await cursorOfNow();
    localStorage.setItem(place, now);
    setKept(now);
    return now;
  };
  const lookAgain = async () => {
    setFirst(false);
    // A value that the server refuses stays in this browser.
    await setPreference('lookedUpTo', await look()).catch(() => undefined);
  };
  useEffect(() => {
    if (cursor === undefined) void look();
  });
  return (
    <section aria-label={m.overview.since}>
      <h2>{m.overview.since}</h2>
      {cursor === undefined ? undefined : (
        <WhatHappened {...props} after={cursor} isFirst={isFirst} onLook={() => void lookAgain()} />
      )}
    </section>
  );
}

interface ToldProps extends SinceProps {
  readonly after: string;
  readonly isFirst: boolean;
  readonly onLook: () => void;
}

function WhatHappened({ after, devices, clusters, isFirst, onLook }: ToldProps) {
  const { data } = useQuery(sinceQuery(after));
  const [isCopied, setCopied] = useState(false);
  if (!data) return undefined;
  const lines = linesOf(data, devices, clusters);
  if (lines.length === 0 && !data.isMore) return <p>{isFirst ? m.overview.firstTime : m.overview.quiet}</p>;
  const copy = async () => {
    await navigator.clipboard.writeText(lines.map(({ on, text }) => `${exactly(on)}  ${text}`).join('\n'));
    setCopied(true);
  };
  return (
    <>
      <ul className={css.told}>
        {lines.map(({ key, on, text }) => (
          <li key={key}>
            <Time on={on} />
            <span>
              <Text>{text}</Text>
            </span>
          </li>
        ))}
      </ul>
      {data.isMore && <Further told={data} />}
      <div className={css.actions}>
        <Button onPress={() => void copy()}>{m.overview.handOver}</Button>
        <Button onPress={() => print()}>{m.overview.print}</Button>
        <Button onPress={onLook}>{m.overview.seen}</Button>
        <span role="status">{isCopied && m.overview.copied}</span>
      </div>
    </>
  );
}

/** Says that there is more than was read, and how far the reading went. */
function Further({ told: { list, looked } }: { readonly told: Told }) {
  return (
    <p>
      {list.length >= mostTold ? m.overview.first(mostTold) : m.overview.looking(looked)}{' '}
      <Link to="/events">{m.overview.events}</Link>
    </p>
  );
}

interface TextLine {
  readonly key: string;
  readonly on: string;
  readonly text: string;
}

/** The events, and the new causes of failures, in their order. */
function linesOf({ list, from }: Told, devices: SinceProps['devices'], clusters: SinceProps['clusters']) {
  // The event of a quarantined device covers its items.
  const done = list.filter(({ itemId }) => itemId === undefined);
  const events = done.map((event): TextLine => ({
    key: event.cursor,
    on: event.on,
    text: textOf(event, devices),
  }));
  const born = bornSince(clusters, from).map(
    ({ failureKind, signature, count, isMore, queues, on }): TextLine => ({
      key: `${failureKind} ${signature}`,
      on,
      text: m.overview.born(
        count,
        isMore,
        queues.map(({ queueName }) => queueName).join(', '),
        shapeOf(signature),
      ),
    }),
  );
  return [...events, ...born].toSorted((one, other) => Date.parse(one.on) - Date.parse(other.on));
}

/** An event as a sentence. */
function textOf(event: Schemas['Event'], devices: readonly Schemas['Device'][]): string {
  const { actorName = m.overview.millrace, operation, queueName = '', deviceId, changes } = event;
  const note = operation === 'noteFailureCluster' ? changes?.['note'] : undefined;
  const { reason = typeof note === 'string' ? note : '' } = event;
  const device = devices.find(({ id }) => id === deviceId);
  const named = device ? deviceName(device) : m.overview.device(String(deviceId));
  return m.overview.line(actorName, operation, deviceId === undefined ? queueName : named, reason);
}
