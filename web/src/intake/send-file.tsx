import type { Id } from '@millrace/api';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { Button } from 'react-aria-components';
import { m } from './messages.ts';
import { send, type Sending, type Upload } from './queries.ts';
import css from './intake.module.css';

interface Props extends Omit<Sending, 'again'> {
  readonly queueId: Id;
  /** How many items there will be. */
  readonly amount: number;
}

/** Sends the file; from then on its address has all that is to be told. */
export function SendFile({ queueId, amount, ...sending }: Props) {
  const navigate = useNavigate();
  const stop = useRef<AbortController>(undefined);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const [known, setKnown] = useState<Upload>();
  const show = (uploadId: Id | undefined) =>
    void navigate({
      to: '/queues/$id/upload',
      params: { id: String(queueId) },
      search: { upload: String(uploadId) },
    });
  const begin = async (again: boolean) => {
    stop.current = new AbortController();
    const { signal } = stop.current;
    setBusy(true);
    setProblem('');
    try {
      const answer = await send(queueId, { ...sending, again }, signal);
      if (answer.repeated) setKnown(answer);
      else show(answer.uploadId);
    } catch (error) {
      setProblem(signal.aborted ? m.intake.stopped : (error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  const { name, size } = sending.file;
  return (
    <>
      <p role="alert" className={css.problem}>
        {problem}
      </p>
      {known && <Repeated onLook={() => show(known.uploadId)} onAgain={() => void begin(true)} />}
      {isBusy ? (
        <div role="status" className={css.sending}>
          <progress aria-label={m.intake.sending(name, m.intake.kilobytes(size))} />
          <span>{m.intake.sending(name, m.intake.kilobytes(size))}</span>
          <Button onPress={() => stop.current?.abort()}>{m.intake.stopSending}</Button>
        </div>
      ) : (
        !known && (
          <Button className="primary" isDisabled={amount === 0} onPress={() => void begin(false)}>
            {m.intake.upload(amount)}
          </Button>
        )
      )}
    </>
  );
}

interface RepeatedProps {
  readonly onLook: () => void;
  readonly onAgain: () => void;
}

function Repeated({ onLook, onAgain }: RepeatedProps) {
  return (
    <section className={css.proposed} role="status">
      <h3>{m.intake.repeated}</h3>
      <p>{m.intake.repeatedText}</p>
      <div className={css.actions}>
        <Button className="primary" onPress={onLook}>
          {m.intake.look}
        </Button>
        <Button onPress={onAgain}>{m.intake.again}</Button>
      </div>
    </section>
  );
}
