import type { Id } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { Button } from 'react-aria-components';
import { Problems } from './check-step.tsx';
import { m } from './messages.ts';
import { readFilled, saveErrors, uploadQuery, type Upload } from './queries.ts';
import { UndoButton } from './undo.tsx';
import css from './intake.module.css';

interface Props {
  readonly queueId: Id;
  readonly uploadId: Id;
}

/** The report of an upload; its progress while it runs. */
export function UploadReport({ queueId, uploadId }: Props) {
  const { data: upload, error } = useQuery(uploadQuery(queueId, uploadId));
  const state = upload?.state;
  useEffect(() => {
    if (state !== undefined && state !== 'READING') void readFilled();
  }, [state]);
  if (error) return <p role="alert">{error.message}</p>;
  if (!upload) return undefined;
  return (
    <section className={css.wizard}>
      <h3>
        {upload.fileName} <span className={css.state}>{m.intake.state[stateOf(upload)]}</span>
      </h3>
      <div role="status">
        <Outcome upload={upload} />
      </div>
      {upload.state === 'STORED' && <Stored upload={upload} queueId={queueId} uploadId={uploadId} />}
    </section>
  );
}

export function stateOf({ state = 'STORED', undoneOn }: Upload): keyof typeof m.intake.state {
  return undoneOn === undefined ? state : 'UNDONE';
}

function Outcome({ upload }: { readonly upload: Upload }) {
  const { created, rejected = 0, duplicates = 0, onError = 'dataError' } = upload;
  if (upload.state === 'READING') return <Reading upload={upload} />;
  if (upload.state === 'CUT') return <p>{m.intake.cut}</p>;
  if (upload.state === 'REFUSED')
    return (
      <p className="problem">
        {m.intake.refused} {upload.refusal?.message}
      </p>
    );
  const parts = [
    m.intake.stored(created),
    ...(rejected > 0 ? [m.intake.ofBad[onError](rejected)] : []),
    ...(duplicates > 0 ? [m.intake.equal(duplicates)] : []),
  ];
  return (
    <>
      <p className={css.trial}>{parts.join(' · ')}</p>
      {upload.undoneOn && <p>{m.intake.undone}</p>}
    </>
  );
}

function Reading({ upload }: { readonly upload: Upload }) {
  const { bytesRead = 0, fileBytes = 1, rows = 0 } = upload;
  return (
    <>
      <progress
        className={css.bar}
        aria-label={m.intake.state.READING}
        max={Number(fileBytes)}
        value={Number(bytesRead)}
      />
      <p>{m.intake.reading(rows)}</p>
    </>
  );
}

function Stored({ upload, queueId, uploadId }: Props & { readonly upload: Upload }) {
  const [problem, setProblem] = useState('');
  const { batchId, errorRows = 0, undoneOn } = upload;
  const save = () => void saveErrors(queueId, uploadId).catch((error: Error) => setProblem(error.message));
  return (
    <>
      <div className={css.actions}>
        {batchId !== undefined && (
          <Link
            to="/queues/$id"
            params={{ id: String(queueId) }}
            search={{ q: `batchId:${String(batchId)}` }}
          >
            {m.intake.toItems}
          </Link>
        )}
        {errorRows > 0 && <Button onPress={save}>{m.intake.errors(errorRows)}</Button>}
        {!undoneOn && batchId !== undefined && <UndoButton queueId={queueId} uploadId={uploadId} />}
      </div>
      <p role="alert" className="problem">
        {problem}
      </p>
      <Problems trial={upload} queueId={queueId} />
    </>
  );
}
