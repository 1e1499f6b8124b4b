import type { Schemas } from '@millrace/api';
import { Archive, CirclePause, CirclePlay } from 'lucide-react';
import { Text } from '../page/text.tsx';
import { exactly } from '../page/time.tsx';
import { Countdown } from './banner.tsx';
import { m } from './messages.ts';
import css from './queues.module.css';

interface Props {
  readonly queue: Schemas['Queue'];
  /** Whether the user who paused it, and the reason, are shown elsewhere. */
  readonly isShort?: boolean;
}

/** Whether a queue grants work, and why not: by word, shape and colour. */
export function QueueState({ queue, isShort = false }: Props) {
  if (queue.archived)
    return (
      <span className={css.state}>
        <Archive size={14} aria-hidden="true" />
        {m.queues.archived}
      </span>
    );
  if (queue.status === 'ACTIVE')
    return (
      <span className={css.state} data-kind="active">
        <CirclePlay size={14} aria-hidden="true" />
        {m.queues.active}
        {queue.rekeying && <span title={m.queues.rekeyingText}> · {m.queues.rekeying}</span>}
      </span>
    );
  if (isShort)
    return (
      <span className={css.state} data-kind="paused">
        <CirclePause size={14} aria-hidden="true" />
        {m.queues.paused}
      </span>
    );
  return (
    <span className={css.state} data-kind="paused" title={queue.pause && exactly(queue.pause.on)}>
      <CirclePause size={14} aria-hidden="true" />
      <span>
        <Text>
          {queue.pause
            ? m.queues.pausedBy(queue.pause.byName ?? '', queue.pause.reason ?? '')
            : m.queues.paused}
        </Text>
        {queue.pause?.until && <Countdown until={queue.pause.until} />}
      </span>
    </span>
  );
}
