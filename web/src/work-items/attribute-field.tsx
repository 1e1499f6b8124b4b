import { FieldError, Input, Label, Text as Hint, TextField } from 'react-aria-components';
import { maskText } from '../json/masks.ts';
import css from './item.module.css';
import { m } from './messages.ts';
import { valueIn, type AttributeType } from './values.ts';

interface Props {
  readonly name: string;
  readonly type: AttributeType | undefined;
  readonly typed: string;
  /** Whether it has a hidden value, which stays unless another is typed. */
  readonly isHidden?: boolean;
  readonly hint?: string;
  readonly onChange: (typed: string) => void;
}

/** The field for the value of an attribute, by its type. */
export function AttributeField({ name, type, typed, isHidden = false, hint: said, onChange }: Props) {
  const hint = isHidden ? m.edit.hidden : said;
  if (type === 'BOOLEAN')
    return (
      <label className={css.field}>
        {name}
        <select value={typed} onChange={({ target }) => onChange(target.value)}>
          <option value="">{isHidden ? maskText : m.edit.noValue}</option>
          <option value="true">true</option>
          <option value="false">false</option>
        </select>
      </label>
    );
  const isWrong = valueIn(type, typed) === undefined;
  return (
    <TextField value={typed} onChange={onChange} isInvalid={isWrong} className={css.field}>
      <Label>{name}</Label>
      <Input
        inputMode={type === 'NUMBER' ? 'decimal' : 'text'}
        placeholder={isHidden ? maskText : type === 'DATE' ? '2026-03-31' : ''}
        autoComplete="off"
      />
      {hint && <Hint slot="description">{hint}</Hint>}
      <FieldError className="problem">{m.edit.noNumber}</FieldError>
    </TextField>
  );
}
