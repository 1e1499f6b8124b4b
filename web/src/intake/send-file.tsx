import type { Id } from '@millrace/api';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { Button } from 'react-aria-components';
import { m } from './messages.ts';
import { KnownFile } from './known-file.tsx';
import { knownIn, send, type Known, type Sending } from './queries.ts';
import css from './intake.module.css';

interface Props extends Sending {
  readonly queueId: Id;
  /** The number of items to create. */
  readonly amount: number;
}

/** Sends the file, then goes to the address of the upload, which reports the rest. */
export function SendFile({ queueId, amount, ...sending }: Props) {
  const navigate = useNavigate();
  const stop = useRef<AbortController>(undefined);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const [known, setKnown] = useState<Known>();
  const show = (uploadId: Id | undefined) =>
    void navigate({
      to: '/queues/$id/upload',
      params: { id: String(queueId) },
      search: { upload: String(uploadId) },
    });
  const begin = async (again = sending.again) => {
    stop.current = new AbortController();
    const { signal } = stop.current;
    setBusy(true);
    setProblem('');
    setKnown(undefined);
    try {
      const answer = await send(queueId, { ...sending, again }, signal);
      const same = knownIn(answer, undefined);
      if (same) setKnown(same);
      else show(answer.uploadId);
    } catch (error) {
      const same = knownIn(undefined, error);
      if (same) return setKnown(same);
      setProblem(signal.aborted ? m.intake.stopped : (error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  const { name, size } = sending.file;
  return (
    <>
      <p role="alert" className="problem">
        {problem}
      </p>
      {known && <KnownFile queueId={queueId} known={known} onAgain={() => void begin(true)} />}
      {isBusy ? (
        <div role="status" className={css.sending}>
          <progress aria-label={m.intake.sending(name, m.intake.kilobytes(size))} />
          <span>{m.intake.sending(name, m.intake.kilobytes(size))}</span>
          <Button onPress={() => stop.current?.abort()}>{m.intake.stopSending}</Button>
        </div>
      ) : (
        !known && (
          <Button className="primary" isDisabled={amount === 0} onPress={() => void begin()}>
            {m.intake.upload(amount)}
          </Button>
        )
      )}
    </>
  );
}
