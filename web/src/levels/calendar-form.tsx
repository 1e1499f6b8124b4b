import type { Schemas } from '@millrace/api';
import { useState } from 'react';
import { Button, Heading } from 'react-aria-components';
import { AsScript } from '../dialogs/as-script.tsx';
import { Ask, useBeginning } from '../dialogs/ask.tsx';
import { useEdited, type Edited } from '../dialogs/edited.ts';
import { Others } from '../dialogs/meanwhile.tsx';
import { carryOut } from '../dialogs/queries.ts';
import { Field } from '../page/fields.tsx';
import { Text } from '../page/text.tsx';
import { m } from './messages.ts';
import { calendarNow, calendarRequest, deleteRequest } from './queries.ts';
import { calendarOf, days, draftOfCalendar, type CalendarDraft, type Unread } from './rules.ts';
import css from './levels.module.css';

interface Props {
  /** Undefined for a new one. */
  readonly calendar: Schemas['Calendar'] | undefined;
  readonly onClose: () => void;
}

/** A calendar, or nothing yet. */
type Stored = Partial<Schemas['Calendar']>;
const isStored = (stored: Stored): stored is Schemas['Calendar'] => stored.id !== undefined;

/** Each day for itself, so that changes of several days come together. */
type Flat = Omit<CalendarDraft, 'hours'> & CalendarDraft['hours'];
const flat = <Part extends Partial<CalendarDraft>>({ hours, ...others }: Part) => ({ ...others, ...hours });
const unfolded = ({ name, timeZone, holidays, ...hours }: Flat): CalendarDraft => ({
  name,
  timeZone,
  holidays,
  hours,
});

const how = {
  draftOf: (stored: Stored): Flat =>
    flat(draftOfCalendar(isStored(stored) ? stored : undefined, ownZone())) as Flat,
  now: calendarNow,
};
const names: Readonly<Record<string, string>> = {
  name: m.levels.name,
  timeZone: m.levels.timeZone,
  holidays: m.levels.holidays,
  ...m.levels.days,
};
const words = { nameOf: (member: string) => names[member] ?? member };

/** A calendar as people write it: the hours of each day in a line, and one holiday per line. */
export function CalendarForm({ calendar, onClose }: Props) {
  const edited = useEdited<Stored, Flat>(calendar ?? {}, how);
  const [isDeleting, setDeleting] = useState(false);
  if (calendar && isDeleting)
    return <Delete calendar={calendar} onDone={onClose} onCancel={() => setDeleting(false)} />;
  const title = calendar ? m.levels.changeOf(calendar.name) : m.levels.newCalendar;
  if (edited.others) return <Others title={title} edited={edited} words={words} onCancel={onClose} />;
  return <Written title={title} edited={edited} onClose={onClose} onDelete={() => setDeleting(true)} />;
}

interface WrittenProps {
  readonly title: string;
  readonly edited: Edited<Stored, Flat>;
  readonly onClose: () => void;
  readonly onDelete: () => void;
}

function Written({ title, edited, onClose, onDelete }: WrittenProps) {
  const { base } = edited;
  const draft = unfolded(edited.draft);
  const form = useBeginning();
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const settings = calendarOf(draft);
  const requests = 'name' in settings ? [calendarRequest(isStored(base) ? base : undefined, settings)] : [];
  const save = async () => {
    if (isBusy) return;
    setProblem('');
    if (!('name' in settings)) return setProblem(unreadText(settings));
    setBusy(true);
    await edited
      .save(() => carryOut(requests))
      .then(onClose, (error: unknown) => setProblem((error as Error).message));
    setBusy(false);
  };
  return (
    <form
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Heading slot="title">
        <Text>{title}</Text>
      </Heading>
      <CalendarFields draft={draft} change={(some) => edited.change(flat(some))} />
      <p role="alert" className="problem">
        {problem}
      </p>
      <div className={css.actions}>
        <Button className="primary" type="submit">
          {m.levels.save}
        </Button>
        <Button onPress={onClose}>{m.common.cancel}</Button>
        {isStored(base) && (
          <Button className="danger" onPress={onDelete}>
            {m.levels.remove}
          </Button>
        )}
      </div>
      <AsScript requests={requests} />
    </form>
  );
}

interface DeleteProps {
  readonly calendar: Schemas['Calendar'];
  readonly onDone: () => void;
  readonly onCancel: () => void;
}

function Delete({ calendar, onDone, onCancel }: DeleteProps) {
  return (
    <Ask
      title={m.levels.removeOf(calendar.name)}
      confirm={m.levels.remove}
      isDanger
      requests={[deleteRequest(calendar)]}
      onDone={onDone}
      onCancel={onCancel}
    >
      <p>{m.levels.removeText}</p>
    </Ask>
  );
}

function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function unreadText(unread: Unread): string {
  if ('line' in unread) return m.levels.badHoliday(unread.line);
  return m.levels.badHours(m.levels.days[unread.day], unread.text);
}

interface FieldsProps {
  readonly draft: CalendarDraft;
  readonly change: (some: Partial<CalendarDraft>) => void;
}

function CalendarFields({ draft, change }: FieldsProps) {
  return (
    <div className={css.fields}>
      <Field label={m.levels.name}>
        {(id) => (
          <input
            id={id}
            required
            maxLength={255}
            value={draft.name}
            onChange={({ target }) => change({ name: target.value })}
          />
        )}
      </Field>
      <Field label={m.levels.timeZone}>
        {(id) => (
          <input
            id={id}
            required
            maxLength={100}
            value={draft.timeZone}
            onChange={({ target }) => change({ timeZone: target.value })}
          />
        )}
      </Field>
      {days.map((day, index) => (
        <Field key={day} label={m.levels.days[day]} {...(index === 0 && { hint: m.levels.hoursHint })}>
          {(id) => (
            <input
              id={id}
              value={draft.hours[day]}
              onChange={({ target }) => change({ hours: { ...draft.hours, [day]: target.value } })}
            />
          )}
        </Field>
      ))}
      <Field label={m.levels.holidays} hint={m.levels.holidaysHint} isWide>
        {(id) => (
          <textarea
            id={id}
            rows={4}
            value={draft.holidays}
            onChange={({ target }) => change({ holidays: target.value })}
          />
        )}
      </Field>
    </div>
  );
}
