import type { Schemas } from '@millrace/api';
import { Text } from '../page/text.tsx';
import { Choice } from '../page/fields.tsx';
import { m } from './messages.ts';
import type { Reading, StepProps } from './rules.ts';
import css from './intake.module.css';

type Encoding = NonNullable<Reading['encoding']>;

const encodings: readonly Encoding[] = [
  ...(['utf-8', 'utf-16le', 'utf-16be', 'windows-1250', 'windows-1251', 'windows-1252'] as const),
  ...(['windows-1253', 'windows-1254', 'windows-1257', 'iso-8859-2', 'iso-8859-15'] as const),
  ...(['shift_jis', 'euc-kr', 'gb18030', 'big5'] as const),
];

/** The format in which the file is read: changed here, and seen at once. */
export function ReadStep({ preview, reading, onRead }: StepProps) {
  const change = (some: Partial<Reading>) => onRead({ ...reading, ...some });
  return (
    <>
      <p>{m.intake.readAs(howOf(preview), lookedAt(preview))}</p>
      <div className={css.fields}>
        {preview.format === 'CSV' ? (
          <>
            <Choice
              label={m.intake.delimiter}
              value={reading.delimiter ?? ''}
              none={m.intake.asFound(preview.delimiter ? m.intake.delimiters[preview.delimiter] : '')}
              choices={m.intake.delimiters}
              onChange={(delimiter) => change({ delimiter })}
            />
            <Choice
              label={m.intake.encoding}
              value={reading.encoding ?? ''}
              none={m.intake.asFound(preview.encoding ?? '')}
              choices={Object.fromEntries(encodings.map((name) => [name, name])) as Record<Encoding, string>}
              onChange={(encoding) => change({ encoding })}
            />
          </>
        ) : (
          <Choice
            label={m.intake.sheet}
            value={reading.sheet ?? ''}
            none={m.intake.asFound(preview.sheet ?? '')}
            choices={Object.fromEntries((preview.sheets ?? []).map((name) => [name, name]))}
            onChange={(sheet) => change({ sheet })}
          />
        )}
      </div>
      <Beginning preview={preview} />
    </>
  );
}

function howOf({ format, delimiter, encoding, sheet }: Schemas['FilePreview']): string {
  const parts = [delimiter && m.intake.between[delimiter], encoding?.replace('utf', 'UTF'), sheet];
  return [m.intake.format[format], ...parts.filter(Boolean)].join(', ');
}

function lookedAt({ rowsLookedAt, isCut }: Schemas['FilePreview']): string {
  return isCut ? m.intake.firstRows(rowsLookedAt) : m.intake.rows(rowsLookedAt);
}

const shownRows = 5;

/** The cells as they stand in the file. */
function Beginning({ preview }: Pick<StepProps, 'preview'>) {
  return (
    <div className={css.scroll} role="region" aria-label={m.intake.beginning} tabIndex={0}>
      <table className={css.table}>
        <caption>{m.intake.beginning}</caption>
        <thead>
          <tr>
            <th scope="col">{m.intake.row}</th>
            {preview.columns.map(({ name }, index) => (
              <th key={index} scope="col">
                <Text>{name}</Text>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {preview.rows.slice(0, shownRows).map(({ row, cells }) => (
            <tr key={row}>
              <th scope="row">{row}</th>
              {cells.map((cell, index) => (
                <td key={index}>
                  <Text>{cell}</Text>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
