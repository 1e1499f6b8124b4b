import type { Id } from '@millrace/api';
import { useNavigate } from '@tanstack/react-router';
import { Button } from 'react-aria-components';
import { m } from './messages.ts';
import type { Known } from './queries.ts';
import css from './intake.module.css';

interface Props {
  readonly queueId: Id;
  readonly known: Known;
  readonly onAgain: () => void;
}

/** Says that a file was uploaded before, and offers what to do. */
export function KnownFile({ queueId, known: { uploadId, text }, onAgain }: Props) {
  const navigate = useNavigate();
  const look = () =>
    void navigate({
      to: '/queues/$id/upload',
      params: { id: String(queueId) },
      search: { upload: String(uploadId) },
    });
  return (
    <section className={css.proposed} role="status">
      <h3>{m.intake.repeated}</h3>
      <p>{text ?? m.intake.repeatedText}</p>
      <div className={css.actions}>
        <Button className="primary" onPress={look}>
          {text === undefined ? m.intake.look : m.intake.lookOrUndo}
        </Button>
        <Button onPress={onAgain}>{m.intake.again}</Button>
      </div>
    </section>
  );
}
