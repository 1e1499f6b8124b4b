import { faultIn, parseJson, stringifyJson } from '@millrace/api';
import { useState } from 'react';
import { Button, Form, Label, TextArea, TextField } from 'react-aria-components';
import { layOut } from '../../reference/json.js';
import type { Data } from '../dialogs/changes.ts';
import { isMask } from '../json/masks.ts';
import { AttributeField } from './attribute-field.tsx';
import { typedIn, withTyped } from './edit-rules.ts';
import css from './item.module.css';
import { m } from './messages.ts';
import type { AttributeType } from './values.ts';

interface Props {
  readonly data: Data;
  readonly types: Readonly<Record<string, AttributeType | undefined>>;
  readonly onDone: (data: Data) => void;
  readonly onCancel: () => void;
}

/** The data of an item as fields by its model, or as JSON; typing in one changes the other. */
export function EditForm({ data, types, onDone, onCancel }: Props) {
  const [typed, setTyped] = useState(() => typedIn(data, types));
  const [text, setText] = useState<string>();
  const [base, setBase] = useState(data);
  const edited = text === undefined ? withTyped(base, typed, types) : dataIn(text);
  const turn = () => {
    if (edited === undefined) return;
    setBase(edited);
    setTyped(typedIn(edited, types));
    setText(text === undefined ? layOut(stringifyJson(edited), 60) : undefined);
  };
  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        if (edited) onDone(edited);
      }}
    >
      {text === undefined ? (
        Object.entries(typed).map(([name, value]) => (
          <AttributeField
            key={name}
            name={name}
            type={types[name]}
            typed={value}
            isHidden={isMask(base[name])}
            onChange={(next) => setTyped({ ...typed, [name]: next })}
          />
        ))
      ) : (
        <TextField value={text} onChange={setText} isInvalid={edited === undefined} className={css.field}>
          <Label>{m.edit.json}</Label>
          <TextArea rows={14} spellCheck={false} className={css.code} />
          <p role="alert" className="problem">
            {problemIn(text)}
          </p>
        </TextField>
      )}
      <div className={css.actions}>
        <Button type="submit" className="primary" isDisabled={edited === undefined}>
          {m.edit.review}
        </Button>
        <Button onPress={turn} isDisabled={edited === undefined}>
          {text === undefined ? m.edit.asJson : m.edit.asFields}
        </Button>
        <Button onPress={onCancel}>{m.common.cancel}</Button>
      </div>
    </Form>
  );
}

/** The object that a text stands for; undefined for any other text. */
function dataIn(text: string): Data | undefined {
  if (problemIn(text) !== undefined) return undefined;
  return parseJson(text) as Data;
}

/** The reason why a text is not the data of an item. */
function problemIn(text: string): string | undefined {
  const fault = faultIn(text);
  if (fault) return m.edit.noJson([...fault.way, fault.message].join(': '));
  return text.trim().startsWith('{') ? undefined : m.edit.noObject;
}
