import type { Id, Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Button } from 'react-aria-components';
import { Text } from '../page/text.tsx';
import { m as models } from '../models/messages.ts';
import { modelQuery } from '../queues/queries.ts';
import { Choice, Field } from '../page/fields.tsx';
import { m } from './messages.ts';
import { mapped, proposalsOf, type Column, type Reading, type StepProps } from './rules.ts';
import css from './intake.module.css';

type Attribute = Schemas['WorkItemAttribute'];

/** The attribute of each column, and the formats of dates, numbers and times. */
export function MapStep(props: StepProps & { readonly modelId: Id }) {
  const { preview, reading, onRead, modelId } = props;
  const { data: model } = useQuery(modelQuery(modelId));
  const proposed = proposalsOf(reading, preview);
  return (
    <>
      {proposed && (
        <p className={css.proposed}>
          {m.intake.proposed(proposed.text)}{' '}
          <Button onPress={() => onRead(proposed.accepted)}>{m.intake.accept}</Button>
        </p>
      )}
      <Columns {...props} attributes={model?.attributes ?? []} />
      <label className="check">
        <input
          type="checkbox"
          checked={reading.leavesOut}
          onChange={({ target }) => onRead({ ...reading, leavesOut: target.checked })}
        />{' '}
        {m.intake.leaveOut}
      </label>
      <Formats reading={reading} onRead={onRead} />
      <HeaderProblems problems={preview.problems} />
    </>
  );
}

function Columns({
  preview,
  reading,
  onRead,
  attributes,
}: StepProps & { readonly attributes: readonly Attribute[] }) {
  return (
    <div className={css.scroll}>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{m.intake.column}</th>
            <th scope="col">{m.intake.values}</th>
            <th scope="col">{m.intake.attribute}</th>
          </tr>
        </thead>
        <tbody>
          {preview.columns.map((column, index) => (
            <tr key={index}>
              <th scope="row">
                <Text>{column.name}</Text>
              </th>
              <td className="soft">
                <Text>{valuesIn(preview, index)}</Text>
              </td>
              <td>
                <AttributeChoice column={column} {...{ reading, onRead, attributes }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const shownValues = 3;

function valuesIn({ rows }: Schemas['FilePreview'], index: number): string {
  const values = rows.map(({ cells }) => cells[index] ?? '').filter((cell) => cell !== '');
  return values.slice(0, shownValues).join(' · ');
}

interface AttributeChoiceProps extends Pick<StepProps, 'reading' | 'onRead'> {
  readonly column: Column;
  readonly attributes: readonly Attribute[];
}

/** A column that matches an attribute by name can become another, but cannot be left out. */
function AttributeChoice({ column, reading, onRead, attributes }: AttributeChoiceProps) {
  const chosen = reading.mapping[column.name] ?? '';
  const byName = chosen === '' ? (column.attribute ?? '') : '';
  return (
    <select
      aria-label={m.intake.becomes(column.name)}
      value={chosen || byName}
      onChange={({ target }) => onRead(mapped(reading, column.name, target.value))}
    >
      {byName === '' && <option value="">{m.intake.leftOut}</option>}
      {attributes.map(({ name = '', type, isRequired }) => (
        <option key={name} value={name}>
          {`${name} (${models.models.types[type ?? 'TEXT']}${isRequired === false ? '' : `, ${m.intake.required}`})`}
        </option>
      ))}
    </select>
  );
}

function Formats({ reading, onRead }: Pick<StepProps, 'reading' | 'onRead'>) {
  const { POINT, COMMA, none } = m.intake.signs;
  const change = (some: Partial<Reading>) => onRead({ ...reading, ...some });
  return (
    <div className={css.fields}>
      <Field label={m.intake.dateFormat} hint={m.intake.dateHelp}>
        {(id) => (
          <input
            id={id}
            defaultValue={reading.dateFormat}
            key={reading.dateFormat}
            onBlur={({ target }) => change({ dateFormat: target.value })}
          />
        )}
      </Field>
      <Choice
        label={m.intake.decimalSign}
        value={reading.decimalSign ?? ''}
        none={none}
        choices={{ POINT, COMMA }}
        onChange={(decimalSign) => change({ decimalSign })}
      />
      <Field label={m.intake.timeZone} hint={m.intake.zoneHelp}>
        {(id) => (
          <input
            id={id}
            defaultValue={reading.timeZone}
            onBlur={({ target }) => change({ timeZone: target.value })}
          />
        )}
      </Field>
    </div>
  );
}

function HeaderProblems({ problems }: { readonly problems: readonly Schemas['ErrorDetail'][] }) {
  if (problems.length === 0) return undefined;
  return (
    <div className="problem">
      <p>{m.intake.wouldBeRefused}</p>
      <ul>
        {problems.map(({ field, message }, index) => (
          <li key={index}>
            <Text>{[field, message].filter(Boolean).join(' ')}</Text>
          </li>
        ))}
      </ul>
    </div>
  );
}
