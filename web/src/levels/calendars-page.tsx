import type { Schemas } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button, Dialog, Modal, ModalOverlay } from 'react-aria-components';
import { Notice } from '../page/states.tsx';
import { Text } from '../page/text.tsx';
import { useTitle } from '../page/title.ts';
import { CalendarForm } from './calendar-form.tsx';
import { m } from './messages.ts';
import { calendarsQuery, useMay } from './queries.ts';
import { days, draftOfCalendar } from './rules.ts';
import css from './levels.module.css';

export { loadCalendars as load } from './queries.ts';

/** The calendar in the dialog, or a new one. */
type Opened = Schemas['Calendar'] | 'new' | undefined;

/** The calendars of the tenant: make, change and delete them. */
export function Page() {
  const { data: calendars } = useSuspenseQuery(calendarsQuery());
  const [opened, setOpened] = useState<Opened>();
  const mayCreate = useMay('createQueues');
  useTitle(m.levels.calendars);
  return (
    <div className={css.page}>
      <header className={css.head}>
        <h1>{m.levels.calendars}</h1>
        {mayCreate ? (
          <Button className="primary" onPress={() => setOpened('new')}>
            {m.levels.newCalendar}
          </Button>
        ) : (
          <small className="soft">{m.levels.mayNotCreate}</small>
        )}
      </header>
      {calendars.list.length === 0 && (
        <Notice title={m.levels.noCalendars}>
          <p>{m.levels.calendarsText}</p>
        </Notice>
      )}
      {calendars.list.map((calendar) => (
        <Calendar key={String(calendar.id)} calendar={calendar} onOpen={() => setOpened(calendar)} />
      ))}
      <ModalOverlay
        isOpen={opened !== undefined}
        onOpenChange={() => setOpened(undefined)}
        isDismissable
        className="overlay"
      >
        <Modal className="modal">
          <Dialog>
            <CalendarForm
              calendar={opened === 'new' ? undefined : opened}
              onClose={() => setOpened(undefined)}
            />
          </Dialog>
        </Modal>
      </ModalOverlay>
    </div>
  );
}

function Calendar({
  calendar,
  onOpen,
}: {
  readonly calendar: Schemas['Calendar'];
  readonly onOpen: () => void;
}) {
  const { name, timeZone, holidays, capabilities } = calendar;
  const mayEdit = capabilities?.includes('edit') === true;
  const { hours } = draftOfCalendar(calendar, timeZone);
  return (
    <section aria-label={name} className={css.calendar}>
      <h2>
        <Text>{name}</Text>
      </h2>
      <Button aria-label={m.levels.changeOf(name)} isDisabled={!mayEdit} onPress={onOpen}>
        {m.levels.change}
      </Button>{' '}
      {!mayEdit && <small className="soft">{m.levels.mayNotChange}</small>}
      <p className="soft">
        {timeZone}, {m.levels.holidayCount(holidays.length)}
      </p>
      <dl className={css.facts}>
        {days
          .filter((day) => hours[day] !== '')
          .map((day) => (
            <div key={day}>
              <dt>{m.levels.days[day]}</dt>
              <dd>{hours[day]}</dd>
            </div>
          ))}
      </dl>
    </section>
  );
}
