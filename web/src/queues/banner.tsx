import type { Schemas } from '@millrace/api';
import { useEffect, useState } from 'react';
import { Text } from '../page/text.tsx';
import { duration, exactly } from '../page/time.tsx';
import { m } from './messages.ts';
import css from './queues.module.css';

/** Says that the queue stands still on purpose: by whom, why, and for how long still. */
export function PauseBanner({ queue: { status, pause, archived } }: { readonly queue: Schemas['Queue'] }) {
  if (status !== 'INACTIVE' || !pause || archived) return undefined;
  return (
    <p className={css.banner}>
      <Text>{m.queues.pausedBy(pause.byName ?? '', pause.reason ?? '')}</Text>
      {pause.until ? <Countdown until={pause.until} /> : ` · ${m.queues.pausedForGood}`}
    </p>
  );
}

/** The remaining time. */
export function Countdown({ until }: { readonly until: string }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, (Date.parse(until) - now) / 1000);
  return <span title={exactly(until)}> · {m.queues.goesOnIn(duration(seconds))}</span>;
}
