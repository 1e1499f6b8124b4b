import { stringifyJson } from '@millrace/api';
import type { Change } from '../dialogs/changes.ts';
import { Mask } from '../json/mask.tsx';
import { isMask } from '../json/masks.ts';
import { LongText } from '../page/long-text.tsx';
import { Text } from '../page/text.tsx';
import css from './item.module.css';
import { m } from './messages.ts';

interface Props {
  readonly changes: readonly Change[];
  /** The titles of the two sides. */
  readonly before: string;
  readonly after: string;
}

/** The differences, attribute by attribute. */
export function Changes({ changes, before, after }: Props) {
  if (changes.length === 0) return <p>{m.edit.nothing}</p>;
  return (
    <table className={css.diff}>
      <thead>
        <tr>
          <th>{m.edit.attribute}</th>
          <th>{before}</th>
          <th>{after}</th>
        </tr>
      </thead>
      <tbody>
        {changes.map((change) => (
          <tr key={change.name}>
            <th scope="row">
              <Text>{change.name}</Text>
            </th>
            <td data-side="before">
              <Value value={change.before} />
            </td>
            <td data-side="after">
              <Value value={change.after} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Value({ value }: { readonly value: unknown }) {
  if (value === undefined) return <i>{m.edit.noValue}</i>;
  if (isMask(value)) return <Mask />;
  return (
    <code>
      <LongText>{stringifyJson(value)}</LongText>
    </code>
  );
}
