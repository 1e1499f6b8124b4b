import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Fragment, useState } from 'react';
import { Text } from '../page/text.tsx';
import { KnownFile } from './known-file.tsx';
import { m } from './messages.ts';
import { knownIn, trialQuery, type OnError, type Upload } from './queries.ts';
import { problemsByKind, type ProblemRow, type StepProps } from './rules.ts';
import { SendFile } from './send-file.tsx';
import css from './intake.module.css';

const choices = ['dataError', 'skip', 'reject'] as const;

/** The first rows as they would be stored, the trial of all rows, and the choice for rows that do not fit. */
export function CheckStep({ queueId, file, preview, reading }: StepProps) {
  const [again, setAgain] = useState(false);
  const { data: trial, error } = useQuery(trialQuery(queueId, file, reading, again));
  const [onError, setOnError] = useState<OnError>('dataError');
  const known = knownIn(trial, error);
  if (known) return <KnownFile queueId={queueId} known={known} onAgain={() => setAgain(true)} />;
  return (
    <>
      <p role="status" className={css.trial}>
        {trial
          ? m.intake.trial(trial.created, trial.rejected ?? 0, trial.duplicates ?? 0)
          : !error && m.intake.trying}
      </p>
      <p role="alert" className="problem">
        {error?.message}
      </p>
      {trial && <Problems trial={trial} queueId={queueId} />}
      <Rows preview={preview} />
      {trial && (
        <>
          <fieldset className={css.choices}>
            <legend>{m.intake.whatOf}</legend>
            {choices.map((one) => (
              <label key={one} className="check">
                <input
                  type="radio"
                  name="onError"
                  checked={one === onError}
                  onChange={() => setOnError(one)}
                />{' '}
                {m.intake.onError[one]}
              </label>
            ))}
          </fieldset>
          <SendFile {...{ queueId, file, reading, onError, again }} amount={amountOf(trial, onError)} />
        </>
      )}
    </>
  );
}

/** The number of items that the upload would create. */
function amountOf({ created, rejected = 0, duplicates = 0 }: Upload, onError: OnError): number {
  if (onError === 'skip') return created;
  if (onError === 'dataError') return created + rejected;
  return rejected + duplicates > 0 ? 0 : created;
}

const shownRows = 12;
const toldProblems = 100;

/** The problems of a file, by kind. */
export function Problems({ trial, queueId }: { readonly trial: Upload; readonly queueId: Id }) {
  const problems = trial.errors ?? [];
  if (problems.length === 0) return undefined;
  return (
    <section className={css.problems}>
      <h3>{m.intake.wrong}</h3>
      <ul>
        {problemsByKind(problems).map(({ column, reason, rows }) => (
          <li key={`${column} ${reason}`}>
            <Text>{m.intake.kind(column, reason)}</Text>{' '}
            <small>
              <RowsOf rows={rows} queueId={queueId} />
            </small>
          </li>
        ))}
      </ul>
      {problems.length >= toldProblems && <small>{m.intake.firstErrors}</small>}
    </section>
  );
}

/** The rows, each with a link to its item where there is one. */
function RowsOf({ rows, queueId }: { readonly rows: readonly ProblemRow[]; readonly queueId: Id }) {
  const id = String(queueId);
  return (
    <>
      {m.intake.inRows(rows.length)}{' '}
      {rows.slice(0, shownRows).map(({ row, itemId }, index) => (
        <Fragment key={row}>
          {index > 0 && ', '}
          {itemId === undefined ? (
            row
          ) : (
            <Link
              to="/queues/$id/workitems/$workItemId"
              params={{ id, workItemId: String(itemId) }}
              aria-label={m.intake.toItem(row, itemId)}
            >
              {row}
            </Link>
          )}
        </Fragment>
      ))}
      {rows.length > shownRows && ' …'}
    </>
  );
}

function Rows({ preview }: { readonly preview: Schemas['FilePreview'] }) {
  const columns = preview.columns.filter(({ attribute }) => attribute !== undefined);
  const title = m.intake.first(preview.rows.length);
  return (
    <div className={css.scroll} role="region" aria-label={title} tabIndex={0}>
      <table className={css.table}>
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col">{m.intake.row}</th>
            {columns.map(({ attribute = '' }) => (
              <th key={attribute} scope="col">
                <Text>{attribute}</Text>
              </th>
            ))}
            <th scope="col">{m.intake.wrong}</th>
          </tr>
        </thead>
        <tbody>
          {preview.rows.map(({ row, json, problems }) => (
            <tr key={row} data-bad={problems.length > 0}>
              <th scope="row">{row}</th>
              {columns.map(({ attribute = '' }) => (
                <td key={attribute} data-bad={problems.some(({ field }) => field === attribute)}>
                  <Text>{shown(json[attribute], problems, attribute)}</Text>
                </td>
              ))}
              <td className="problem">
                <Text>{problems.map(({ column, reason }) => m.intake.kind(column, reason)).join('; ')}</Text>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The value that would be stored, or the one that cannot be. */
function shown(value: unknown, problems: readonly Schemas['RowProblem'][], attribute: string): string {
  if (value === undefined) return problems.find(({ field }) => field === attribute)?.value ?? '';
  return typeof value === 'string' ? value : stringifyJson(value);
}
