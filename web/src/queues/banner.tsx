import type { Schemas } from '@millrace/api';
import { Text } from '../page/text.tsx';
import { Remaining } from '../page/time.tsx';
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
  return (
    <span>
      {' '}
      · {m.queues.goesOnIn} <Remaining until={until} />
    </span>
  );
}
