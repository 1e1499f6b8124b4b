import { toId, type Schemas } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import type { Request } from '../connection/request.ts';
import { AsScript } from '../dialogs/as-script.tsx';
import { carryOut } from '../dialogs/queries.ts';
import { Choice, Field } from '../page/fields.tsx';
import { MayNot } from '../page/may-not.tsx';
import { m } from './messages.ts';
import { calendarsQuery, levelRequest } from './queries.ts';
import { draftOfLevel, levelOf, type LevelDraft } from './rules.ts';
import css from './levels.module.css';

interface Props {
  readonly level: Schemas['QueueLevel'];
  readonly queue: Schemas['Queue'];
  readonly onSaved: () => void;
}

/** The form for the service level of a queue. */
export function PromiseForm({ level, queue, onSaved }: Props) {
  const [draft, setDraft] = useState(() => draftOfLevel(level));
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const change = (some: Partial<LevelDraft>) => setDraft((now) => ({ ...now, ...some }));
  const request = levelRequest(level.queueId, levelOf(draft, level.version, toId));
  const save = async () => {
    if (isBusy) return;
    setBusy(true);
    setProblem('');
    await carryOut([request]).then(onSaved, (error: Error) => setProblem(error.message));
    setBusy(false);
  };
  return (
    <form
      aria-label={m.levels.promise}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <h3>{m.levels.promise}</h3>
      <p className="soft">
        {m.levels.promiseText} <Link to="/calendars">{m.levels.calendars}</Link>
      </p>
      <fieldset disabled={!mayEdit(queue)} className={css.fields}>
        <Choice
          label={m.levels.kind}
          value={draft.kind ?? ''}
          none={m.levels.nothing}
          choices={m.levels.kinds}
          onChange={(kind) => change({ kind })}
        />
        {draft.kind === 'wait' && <WaitFields draft={draft} onChange={change} />}
        {draft.kind === 'due' && <DueFields draft={draft} onChange={change} />}
        {draft.kind && <CalendarFields draft={draft} onChange={change} />}
        <Input name="hourlyCost" type="number" {...{ draft, change }} />
        {draft.hourlyCost !== '' && <Input name="currency" type="text" {...{ draft, change }} />}
      </fieldset>
      <p role="alert" className="problem">
        {problem}
      </p>
      <Save queue={queue} request={request} />
    </form>
  );
}

const mayEdit = ({ capabilities }: Props['queue']) => capabilities?.includes('edit') === true;

/** Saves what is promised, or says who may. */
function Save({ queue, request }: Pick<Props, 'queue'> & { readonly request: Request }) {
  if (!mayEdit(queue)) return <MayNot queue={queue}>{m.levels.mayNot}</MayNot>;
  return (
    <>
      <Button className="primary" type="submit">
        {m.levels.save}
      </Button>
      <AsScript requests={[request]} />
    </>
  );
}

interface FieldsProps {
  readonly draft: LevelDraft;
  readonly onChange: (some: Partial<LevelDraft>) => void;
}

function WaitFields({ draft, onChange }: FieldsProps) {
  return (
    <Input
      name="longestWait"
      type="number"
      hint={m.levels.longestWaitHint}
      {...{ draft, change: onChange }}
    />
  );
}

function DueFields({ draft, onChange }: FieldsProps) {
  return (
    <>
      <Input name="cutOff" type="time" hint={m.levels.cutOffHint} {...{ draft, change: onChange }} />
      <Input name="dueTime" type="time" {...{ draft, change: onChange }} />
    </>
  );
}

function CalendarFields({ draft, onChange }: FieldsProps) {
  const { data: calendars } = useSuspenseQuery(calendarsQuery());
  const choices = Object.fromEntries(calendars.list.map(({ id, name }) => [String(id), name]));
  return (
    <>
      <Choice
        label={m.levels.calendar}
        value={draft.calendarId}
        none={m.levels.always}
        choices={choices}
        onChange={(calendarId) => onChange({ calendarId: calendarId ?? '' })}
      />
      <Input name="warn" type="number" {...{ draft, change: onChange }} />
    </>
  );
}

interface InputProps {
  readonly name: Exclude<keyof LevelDraft, 'kind' | 'calendarId'>;
  readonly type: 'number' | 'time' | 'text';
  readonly hint?: string;
  readonly draft: LevelDraft;
  readonly change: FieldsProps['onChange'];
}

function Input({ name, type, hint, draft, change }: InputProps) {
  return (
    <Field label={m.levels[name]} {...(hint !== undefined && { hint })}>
      {(id) => (
        <input
          id={id}
          type={type}
          min={0}
          step={name === 'hourlyCost' ? 'any' : undefined}
          required={name !== 'hourlyCost'}
          value={draft[name]}
          onChange={({ target }) => change({ [name]: target.value })}
        />
      )}
    </Field>
  );
}
