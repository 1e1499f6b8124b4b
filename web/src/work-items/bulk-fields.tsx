import type { Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Input, Label, RadioButton, RadioField, RadioGroup, TextField } from 'react-aria-components';
import { ZoneHint } from '../page/time.tsx';
import { queuesQuery } from '../queues/queries.ts';
import { AttributeField } from './attribute-field.tsx';
import type { BulkAction, Draft } from './bulk-rules.ts';
import css from './item.module.css';
import { m } from './messages.ts';
import { useTypes } from './use-types.ts';

interface Props {
  readonly queue: Schemas['Queue'];
  readonly action: BulkAction;
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
}

/** The input of an action, beside the reason. */
export function BulkFields({ queue, action, draft, onChange }: Props) {
  const set = (part: Partial<Draft>) => onChange({ ...draft, ...part });
  if (action === 'DEFER')
    return (
      <TextField value={draft.until} onChange={(until) => set({ until })} className={css.field}>
        <Label>{m.bulk.until}</Label>
        <Input type="datetime-local" />
        <ZoneHint />
      </TextField>
    );
  if (action === 'SET_PRIORITY')
    return (
      <TextField
        value={draft.priority}
        onChange={(priority) => set({ priority })}
        isRequired
        className={css.field}
      >
        <Label>{m.bulk.priority}</Label>
        <Input inputMode="numeric" />
      </TextField>
    );
  if (action === 'MOVE') return <OtherQueue queue={queue} draft={draft} onChange={set} />;
  if (action === 'RESOLVE') return <Answer draft={draft} onChange={set} />;
  return action === 'EDIT' ? <Edits queue={queue} draft={draft} onChange={set} /> : undefined;
}

interface PartProps {
  readonly draft: Draft;
  readonly onChange: (part: Partial<Draft>) => void;
}

/** Only a queue of the same model can take the items. */
function OtherQueue({ queue, draft, onChange }: PartProps & Pick<Props, 'queue'>) {
  const { data } = useQuery(queuesQuery());
  const others = (data?.list ?? []).filter(
    ({ id, workItemModelId }) => id !== queue.id && String(workItemModelId) === String(queue.workItemModelId),
  );
  return (
    <label className={css.field}>
      {m.bulk.toQueue}
      <select
        value={String(draft.queueId ?? '')}
        onChange={({ target }) =>
          onChange({ queueId: others.find(({ id }) => String(id) === target.value)?.id })
        }
      >
        <option value="">{others.length > 0 ? m.bulk.choose : m.bulk.noOtherQueue}</option>
        {others.map(({ id, name }) => (
          <option key={String(id)} value={String(id)}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

const answers = ['DONE', 'NOT_DONE', 'PARTLY'] as const;

function Answer({ draft, onChange }: PartProps) {
  return (
    <>
      <RadioGroup
        className={css.field}
        value={draft.answer ?? null}
        onChange={(value) => onChange({ answer: answers.find((one) => one === value) })}
      >
        <Label>{m.bulk.wasDone}</Label>
        {answers.map((answer) => (
          <RadioField key={answer} value={answer}>
            <RadioButton className={css.radio}>{m.bulk.answers[answer]}</RadioButton>
          </RadioField>
        ))}
      </RadioGroup>
      <TextField
        value={draft.note}
        onChange={(note) => onChange({ note })}
        isRequired={draft.answer === 'PARTLY'}
        maxLength={1000}
        className={css.field}
      >
        <Label>{m.item.note}</Label>
        <Input />
      </TextField>
    </>
  );
}

/** Attributes are chosen one by one; the others keep their values. */
function Edits({ queue, draft: { edits }, onChange }: PartProps & Pick<Props, 'queue'>) {
  const types = useTypes(queue);
  const free = Object.keys(types).filter((name) => !(name in edits));
  return (
    <>
      {Object.entries(edits).map(([name, typed]) => (
        <AttributeField
          key={name}
          name={name}
          type={types[name]}
          typed={typed}
          hint={m.bulk.emptyTakesAway}
          onChange={(text) => onChange({ edits: { ...edits, [name]: text } })}
        />
      ))}
      <label className={css.field}>
        {m.bulk.attribute}
        <select value="" onChange={({ target }) => onChange({ edits: { ...edits, [target.value]: '' } })}>
          <option value="">{m.bulk.choose}</option>
          {free.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
    </>
  );
}
