import type { Id } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { m } from './messages.ts';
import { uploadsQuery } from './queries.ts';
import { stateOf } from './report.tsx';
import css from './intake.module.css';

/** The uploads of a queue, each with its outcome. */
export function Uploads({ queueId }: { readonly queueId: Id }) {
  const { data } = useQuery(uploadsQuery(queueId));
  const list = data?.list ?? [];
  return (
    <section>
      <h3>{m.intake.uploads}</h3>
      {list.length === 0 ? (
        <p className="soft">{m.intake.noUploads}</p>
      ) : (
        <div className={css.scroll} role="region" aria-label={m.intake.uploads} tabIndex={0}>
          <table className={css.table}>
            <thead>
              <tr>
                <th scope="col">{m.intake.file}</th>
                <th scope="col">{m.intake.when}</th>
                <th scope="col">{m.intake.counts}</th>
                <th scope="col">{m.intake.outcome}</th>
              </tr>
            </thead>
            <tbody>
              {list.map((upload) => (
                <tr key={String(upload.uploadId)}>
                  <th scope="row">
                    <Link
                      to="/queues/$id/upload"
                      params={{ id: String(queueId) }}
                      search={{ upload: String(upload.uploadId) }}
                    >
                      <Text>{upload.fileName ?? ''}</Text>
                    </Link>
                  </th>
                  <td>
                    <Time on={upload.createdOn} />
                  </td>
                  <td>
                    {m.intake.told(
                      upload.rows ?? 0,
                      upload.created,
                      upload.rejected ?? 0,
                      upload.duplicates ?? 0,
                    )}
                  </td>
                  <td>{m.intake.state[stateOf(upload)]}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
