import { toId, type Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button, Input, Label, TextField } from 'react-aria-components';
import { Ask, Over, Reason } from '../dialogs/ask.tsx';
import { useKey } from '../page/keys.ts';
import { MayNot } from '../page/may-not.tsx';
import { instantOf, ZoneHint } from '../page/time.tsx';
import { m } from './messages.ts';
import { pauseRequest, queueQuery, resumeRequest } from './queries.ts';
import css from './queues.module.css';

interface Props {
  readonly queue: Schemas['Queue'];
}

/** Pauses or resumes a queue; `p` opens it too. */
export function PauseButton({ queue }: Props) {
  const [asked, setAsked] = useState<'pause' | 'resume'>();
  const way = queue.status === 'INACTIVE' ? 'resume' : 'pause';
  const mayPause = queue.capabilities?.includes('edit') === true;
  const ask = () => (mayPause ? setAsked(way) : undefined);
  const close = () => setAsked(undefined);
  useKey('p', ask, mayPause && !queue.archived ? m.queues[`${way}This`] : undefined);
  if (queue.archived) return undefined;
  return (
    <>
      <Button className={way === 'resume' ? 'primary' : ''} isDisabled={!mayPause} onPress={ask}>
        {m.queues[way]} <kbd aria-hidden="true">p</kbd>
      </Button>
      {!mayPause && <MayNot queue={queue}>{m.queues.mayNotPause}</MayNot>}
      <Over isOpen={asked !== undefined} onClose={close}>
        {/* The dialog stays as it was asked for, even when somebody else is faster. */}
        {asked === 'pause' && <Pause queue={queue} onDone={close} />}
        {asked === 'resume' && <Resume queue={queue} onDone={close} />}
      </Over>
    </>
  );
}

interface FormProps extends Props {
  readonly onDone: () => void;
}

/** Has a queue grant nothing, with a reason and, on request, until a time. */
export function Pause({ queue, onDone }: FormProps) {
  const [until, setUntil] = useState('');
  const [reason, setReason] = useState('');
  const request = pauseRequest(queue.id ?? 0, reason.trim(), until === '' ? null : instantOf(until));
  return (
    <Ask
      title={m.queues.askPause(queue.name ?? '')}
      confirm={m.queues.pause}
      requests={[request]}
      onDone={onDone}
    >
      <p>{m.queues.pauseText}</p>
      <Reason label={m.queues.reason} reason={reason} onChange={setReason} isRequired />
      <TextField value={until} onChange={setUntil} className={css.field}>
        <Label>{m.queues.pauseEnd}</Label>
        <Input type="datetime-local" />
        <ZoneHint />
      </TextField>
    </Ask>
  );
}

/** Has a paused queue go on. */
export function Resume({ queue, onDone }: FormProps) {
  const [reason, setReason] = useState('');
  return (
    <Ask
      title={m.queues.askResume(queue.name ?? '')}
      confirm={m.queues.resume}
      requests={[resumeRequest(queue.id ?? 0, reason.trim())]}
      onDone={onDone}
    >
      <p>{m.queues.resumeText}</p>
      <Reason label={m.queues.reason} reason={reason} onChange={setReason} />
    </Ask>
  );
}

/** Has a paused queue go on from anywhere that tells of its pause; undefined for those who may not, and once it goes on. */
export function ResumeHere({ queueId }: { readonly queueId: string }) {
  const { data: queue } = useQuery(queueQuery(toId(queueId)));
  const [isAsked, setAsked] = useState(false);
  const close = () => setAsked(false);
  if (!queue || (queue.status !== 'INACTIVE' && !isAsked)) return undefined;
  if (queue.archived || !queue.capabilities?.includes('edit')) return undefined;
  return (
    <>
      <Button
        className="quiet"
        aria-label={m.queues.resumeNamed(queue.name ?? '')}
        onPress={() => setAsked(true)}
      >
        {m.queues.resume}
      </Button>
      <Over isOpen={isAsked} onClose={close}>
        {isAsked && <Resume queue={queue} onDone={close} />}
      </Over>
    </>
  );
}
