import { useId, type ReactNode } from 'react';
import css from './page.module.css';

interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly isWide?: boolean;
  readonly children: (id: string) => ReactNode;
}

/** A control with its name above and a hint below. */
export function Field({ label, hint, isWide, children }: FieldProps) {
  const id = useId();
  return (
    <div className={css.field} data-wide={isWide}>
      <label htmlFor={id}>{label}</label>
      {children(id)}
      {hint && <small>{hint}</small>}
    </div>
  );
}

interface TextLineProps {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  /** The most characters it takes. */
  readonly most?: number;
  /** Whether it gets the focus first. */
  readonly isFirst?: boolean;
  readonly isRequired?: boolean;
  readonly isWide?: boolean;
  readonly onChange: (typed: string) => void;
}

/** A line of text that no browser fills in or corrects. */
export function TextLine(props: TextLineProps) {
  const { label, hint, value, most = 255, isFirst, isRequired, isWide, onChange } = props;
  return (
    <Field label={label} hint={hint} isWide={isWide}>
      {(id) => (
        <input
          id={id}
          value={value}
          maxLength={most}
          required={isRequired}
          autoFocus={isFirst}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          onChange={({ target }) => onChange(target.value)}
        />
      )}
    </Field>
  );
}

interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly value: Value | '';
  /** The label of no choice, where that is possible. */
  readonly none?: string;
  readonly choices: Readonly<Record<Value, string>>;
  readonly onChange: (value: Value | undefined) => void;
}

/** A choice of one value, or of none. */
export function Choice<Value extends string>({ label, value, none, choices, onChange }: ChoiceProps<Value>) {
  const all = Object.entries<string>(choices);
  return (
    <Field label={label}>
      {(id) => (
        <select
          id={id}
          value={value}
          onChange={(event) => onChange((event.target.value || undefined) as Value | undefined)}
        >
          {none !== undefined && <option value="">{none}</option>}
          {all.map(([key, text]) => (
            <option key={key} value={key}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
