import { toId } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { MayNot } from '../page/may-not.tsx';
import { useTitle } from '../page/title.ts';
import { queueQuery } from '../queues/queries.ts';
import { m } from './messages.ts';
import { UploadReport } from './report.tsx';
import { Uploads } from './uploads.tsx';
import { Wizard } from './wizard.tsx';
import css from './intake.module.css';

export { loadUploads as load } from './queries.ts';

/** Uploads into a queue: the wizard or the report of one file, and below them all uploads. */
export function Page() {
  const { id } = useParams({ from: '/frame/queues/$id/upload' });
  const { upload } = useSearch({ from: '/frame/queues/$id/upload' });
  const { data: queue } = useSuspenseQuery(queueQuery(toId(id)));
  const mayAdd = queue.capabilities?.includes('add') === true;
  useTitle(m.intake.title, queue.name ?? id);
  return (
    <div className={css.page}>
      <h2 className={css.title}>{m.intake.title}</h2>
      {upload === undefined && !mayAdd && <MayNot queue={queue}>{m.intake.mayNot}</MayNot>}
      {upload === undefined ? (
        mayAdd && <Wizard queue={queue} />
      ) : (
        <>
          <UploadReport key={upload} queueId={toId(id)} uploadId={toId(upload)} />
          <p>
            <Link to="/queues/$id/upload" params={{ id }}>
              {m.intake.more}
            </Link>
          </p>
        </>
      )}
      <Uploads queueId={toId(id)} />
    </div>
  );
}
