import type { Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Button } from 'react-aria-components';
import { nameOf } from '../devices/rules.ts';
import { Text } from '../page/text.tsx';
import { exactly, Time } from '../page/time.tsx';
import { usePreferences } from '../preferences/preferences.ts';
import { setPreference } from '../preferences/queries.ts';
import { m } from './messages.ts';
import { cursorOfNow, sinceQuery } from './queries.ts';
import css from './overview.module.css';

const place = 'millrace.looked';
const form = /^\d{1,20}-\d{1,19}$/;

/** Where the feed was when somebody last looked at this browser; text that is no cursor counts as nothing. */
function keptCursor(): string | undefined {
  const text = localStorage.getItem(place) ?? '';
  return form.test(text) ? text : undefined;
}

interface SinceProps {
  /** For their names. */
  readonly devices: readonly Schemas['Device'][];
}

/** What people did and what happened since somebody looked, to be handed over. */
export function Since({ devices }: SinceProps) {
  const [kept, setKept] = useState(keptCursor);
  // Whoever has looked on another browser need not look again.
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
    // What the server does not take stays in this browser.
    await setPreference('lookedUpTo', await look()).catch(() => undefined);
  };
  useEffect(() => {
    if (cursor === undefined) void look();
  });
  return (
    <section aria-label={m.overview.since}>
      <h2>{m.overview.since}</h2>
      {cursor === undefined ? undefined : (
        <Told after={cursor} devices={devices} isFirst={isFirst} onLook={() => void lookAgain()} />
      )}
    </section>
  );
}

interface ToldProps extends SinceProps {
  readonly after: string;
  readonly isFirst: boolean;
  readonly onLook: () => void;
}

function Told({ after, devices, isFirst, onLook }: ToldProps) {
  const { data } = useQuery(sinceQuery(after));
  const [isCopied, setCopied] = useState(false);
  if (!data) return undefined;
  // What a quarantine did to each item is told with the device.
  const list = data.list.filter(({ itemId }) => itemId === undefined);
  const lines = list.map((event) => ({ event, text: textOf(event, devices) }));
  if (lines.length === 0) return <p>{isFirst ? m.overview.firstTime : m.overview.quiet}</p>;
  const copy = async () => {
    const text = lines.map(({ event, text: line }) => `${exactly(event.on)}  ${line}`).join('\n');
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <>
      <ul className={css.told}>
        {lines.map(({ event, text }) => (
          <li key={event.cursor}>
            <Time on={event.on} />
            <span>
              <Text>{text}</Text>
            </span>
          </li>
        ))}
      </ul>
      {data.isMore && <p>{m.overview.more200}</p>}
      <div className={css.actions}>
        <Button onPress={() => void copy()}>{m.overview.handOver}</Button>
        <Button onPress={() => print()}>{m.overview.print}</Button>
        <Button onPress={onLook}>{m.overview.seen}</Button>
        <span role="status">{isCopied && m.overview.copied}</span>
      </div>
    </>
  );
}

/** What happened, as a sentence. */
function textOf(event: Schemas['Event'], devices: readonly Schemas['Device'][]): string {
  const { actorName = m.overview.millrace, operation, queueName = '', deviceId, reason = '' } = event;
  const device = devices.find(({ id }) => id === deviceId);
  const named = device ? nameOf(device) : m.overview.device(String(deviceId));
  return m.overview.line(actorName, operation, deviceId === undefined ? queueName : named, reason);
}
