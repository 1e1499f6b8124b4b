import type { Schemas } from '@millrace/api';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { AttributeEditor } from '../models/attributes.tsx';
import { draftsOf, sampled, type Draft } from '../models/rules.ts';
import { Field } from '../page/fields.tsx';
import { m } from './messages.ts';
import { proposeAttributes } from './queries.ts';
import type { ChosenModel } from './rules.ts';
import css from './setup.module.css';

interface Props {
  readonly models: readonly Schemas['WorkItemModel'][];
  readonly model: ChosenModel;
  readonly onChange: (model: ChosenModel) => void;
}

/** The model of a new queue: picked, or made from a pasted sample. */
export function ModelPart({ models, model, onChange }: Props) {
  const [isMaking, setMakes] = useState(models.length === 0);
  // Once it is made, it is one that is there.
  const makes = isMaking && model.id === undefined;
  const choose = (isMade: boolean) => {
    setMakes(isMade);
    onChange({ name: '', drafts: [] });
  };
  return (
    <>
      <div role="radiogroup" aria-label={m.setup.model} className={css.names}>
        {[false, true].map((isMade) => (
          <label key={String(isMade)} className="check">
            <input type="radio" name="model" checked={makes === isMade} onChange={() => choose(isMade)} />{' '}
            {isMade ? m.setup.make : m.setup.pick}
          </label>
        ))}
      </div>
      {makes ? (
        <Made model={model} onChange={onChange} />
      ) : (
        <Field label={m.setup.pickOne}>
          {(id) => (
            <select
              id={id}
              value={model.id ?? ''}
              onChange={({ target }) =>
                onChange({ name: '', drafts: [], ...(target.value && { id: target.value }) })
              }
            >
              <option value="">{m.setup.choose}</option>
              {models.map((one) => (
                <option key={String(one.id)} value={String(one.id)}>
                  {one.name}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
    </>
  );
}

function Made({ model, onChange }: Omit<Props, 'models'>) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');
  const guess = async () => {
    setProblem('');
    try {
      // A guessed model is a new one, so it has no id.
      onChange({ name: model.name, drafts: await guessed(text) });
    } catch (error) {
      const { message } = error as Error;
      setProblem(error instanceof SyntaxError ? m.setup.badJson(message) : message);
    }
  };
  return (
    <>
      <div className="fields">
        <Field label={m.setup.modelName}>
          {(id) => (
            <input
              id={id}
              value={model.name}
              maxLength={255}
              required
              onChange={({ target }) => onChange({ ...model, name: target.value })}
            />
          )}
        </Field>
      </div>
      <Field label={m.setup.sample} hint={m.setup.sampleHelp} isWide>
        {(id) => <textarea id={id} rows={4} value={text} onChange={({ target }) => setText(target.value)} />}
      </Field>
      <div className={css.actions}>
        <Button isDisabled={text.trim() === ''} onPress={() => void guess()}>
          {m.setup.guess}
        </Button>
      </div>
      <p role="alert" className="problem">
        {problem}
      </p>
      {model.drafts.length > 0 && (
        <AttributeEditor
          drafts={model.drafts}
          onChange={(drafts) => onChange({ name: model.name, drafts })}
        />
      )}
    </>
  );
}

/** The attributes of a sample; the server looks at tables, as it would on upload. */
async function guessed(text: string): Promise<readonly Draft[]> {
  const known = sampled(text);
  if (known) return known;
  return draftsOf(await proposeAttributes(new File([text], 'sample.csv')));
}
