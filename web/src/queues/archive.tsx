import type { Schemas } from '@millrace/api';
import { useState } from 'react';
import { Ask, Reason } from '../dialogs/ask.tsx';
import { m } from './messages.ts';
import { archiveRequest } from './queries.ts';

interface Props {
  readonly queue: Schemas['Queue'];
  readonly onDone: () => void;
}

/** Archives a queue or restores it: as it was asked for, also when somebody else is faster. */
export function Archive({ queue: first, onDone }: Props) {
  const [queue] = useState(first);
  const [reason, setReason] = useState('');
  const way = queue.archived ? 'restore' : 'archive';
  return (
    <Ask
      title={m.queues[queue.archived ? 'askRestore' : 'askArchive'](queue.name ?? '')}
      confirm={m.queues[way]}
      isDanger={way === 'archive'}
      requests={[archiveRequest(queue, reason.trim())]}
      onDone={onDone}
    >
      <p>{m.queues[`${way}Text`]}</p>
      <Reason label={m.queues.reason} reason={reason} onChange={setReason} />
    </Ask>
  );
}
