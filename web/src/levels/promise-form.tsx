import { toId, type Schemas } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import type { Request } from '../connection/request.ts';
import { AsScript } from '../dialogs/as-script.tsx';
import { Over } from '../dialogs/ask.tsx';
import { useEdited, type Edited } from '../dialogs/edited.ts';
import { Others } from '../dialogs/meanwhile.tsx';
import { carryOut } from '../dialogs/queries.ts';
import { Choice, Field } from '../page/fields.tsx';
import { MayNot } from '../page/may-not.tsx';
import { m } from './messages.ts';
import { calendarsQuery, levelNow, levelRequest } from './queries.ts';
import { draftOfLevel, levelOf, type LevelDraft } from './rules.ts';
import css from './levels.module.css';

type Level = Schemas['QueueLevel'];

interface Props {
  readonly level: Level;
  readonly queue: Schemas['Queue'];
  readonly onSaved: () => void;
}

const how = {
  draftOf: draftOfLevel,
  settingsOf: (draft: LevelDraft) => levelOf(draft, toId) ?? {},
  now: levelNow,
};

/** The form for the service level of a queue. */
export function PromiseForm({ level: latest, queue, onSaved }: Props) {
  const edited = useEdited(latest, how);
  const { draft, change } = edited;
  const { request, problem, save, others } = useSaving(edited, onSaved);
  return (
    <>
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
      <Over isOpen={others.isMet} onClose={others.onCancel}>
        <OthersPromise edited={edited} {...others} />
      </Over>
    </>
  );
}

/** Saves the draft. Where somebody else was faster, their changes are met over the form, which gets the focus back. */
function useSaving(edited: Edited<Level, LevelDraft>, onSaved: () => void) {
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [isPutOff, setPutOff] = useState(false);
  const { queueId, queueName } = edited.base;
  const level = levelOf(edited.draft, toId);
  const request = levelRequest(edited.base, level);
  const save = async () => {
    if (isBusy) return;
    setBusy(true);
    setProblem('');
    setPutOff(false);
    try {
      const [stored] = await edited.save(() => carryOut([request]));
      edited.begin(level ? (stored as Level) : { queueId, queueName, version: 0 });
      onSaved();
    } catch (error) {
      setProblem((error as Error).message);
    }
    setBusy(false);
  };
  const isMet = edited.others !== undefined && !isPutOff;
  const others = { isMet, onTaken: () => setProblem(''), onCancel: () => setPutOff(true) };
  return { request, problem, save, others };
}

const names: Readonly<Record<string, string>> = {
  longestWaitMinutes: m.levels.longestWait,
  dueTime: m.levels.dueTime,
  cutOff: m.levels.cutOff,
  calendarId: m.levels.calendar,
  warnMinutes: m.levels.warn,
  hourlyCost: m.levels.hourlyCost,
  currency: m.levels.currency,
};

interface OthersProps {
  readonly edited: Edited<Level, LevelDraft>;
  readonly onTaken: () => void;
  readonly onCancel: () => void;
}

/** The promise that somebody else made meanwhile, with the names of calendars. */
function OthersPromise({ edited, onTaken, onCancel }: OthersProps) {
  const { data: calendars } = useSuspenseQuery(calendarsQuery());
  const told = (member: string, value: string) =>
    member === 'calendarId' ? calendars.list.find(({ id }) => String(id) === value)?.name : undefined;
  const words = { nameOf: (member: string) => names[member] ?? member, told };
  return <Others title={m.levels.promise} {...{ edited, words, onTaken, onCancel }} />;
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
