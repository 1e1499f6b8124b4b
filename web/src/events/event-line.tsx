import { actorKindOf } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Bot, ChevronRight, Settings2, User } from 'lucide-react';
import { useState } from 'react';
import { deviceName } from '../page/device-name.ts';
import { acts } from '../messages/acts.ts';
import { LongText } from '../page/long-text.tsx';
import { Text } from '../page/text.tsx';
import { clockTime, exactly } from '../page/time.tsx';
import { timeZone } from '../store/preferences.ts';
import { useStore } from '../store/store.ts';
import { Details } from './details.tsx';
import { m } from './messages.ts';
import { devicesQuery } from './queries.ts';
import { subjectOf, type Event, type Line } from './rules.ts';
import css from './events.module.css';

const icons = { USER: User, RUNNER: Bot, MILLRACE: Settings2 };

/** An event as a sentence; opened, in full. */
export function EventLine({ line, isOpened = false }: { readonly line: Line; readonly isOpened?: boolean }) {
  const { event, all } = line;
  useStore(timeZone);
  const [isOpen, setOpen] = useState(isOpened);
  const kind = actorKindOf(event);
  const Icon = icons[kind];
  return (
    <li className={css.line} data-kind={kind}>
      <time dateTime={event.on} title={exactly(event.on)}>
        {clockTime(event.on)}
      </time>
      <span className={css.kind} title={m.events.kindOf[kind]}>
        <Icon size={15} role="img" aria-label={m.events.kindOf[kind]} />
      </span>
      <p className={css.sentence}>
        <Sentence event={event} amount={all.length} />
      </p>
      <button
        type="button"
        className="icon"
        data-line=""
        aria-expanded={isOpen}
        aria-label={m.events.details}
        onClick={() => setOpen(!isOpen)}
      >
        <ChevronRight size={15} aria-hidden="true" data-open={isOpen} />
      </button>
      {isOpen && <Details line={line} />}
    </li>
  );
}

function Sentence({ event, amount }: { readonly event: Event; readonly amount: number }) {
  const { operation, from, to, reason, itemId, batchId } = event;
  return (
    <>
      <b>
        <Text>{acts.actor(event)}</Text>
      </b>{' '}
      <Text>{m.events.did(operation)}</Text> <What event={event} amount={amount} />
      {itemId !== undefined && from !== to && (
        <span className={css.change}>
          {from && `${m.status[from]} → `}
          {to ? m.status[to] : m.events.gone}
        </span>
      )}
      {batchId !== undefined && <small> {m.events.batch(String(batchId))}</small>}
      {reason && (
        <q>
          <LongText>{reason}</LongText>
        </q>
      )}
    </>
  );
}

/** The things that the event is about, each a link to its page. */
function What({ event, amount }: { readonly event: Event; readonly amount: number }) {
  const { queueId, queueName, itemId, deviceId } = event;
  const subject = subjectOf(event);
  if (subject !== undefined) return <Text>{subject}</Text>;
  return (
    <>
      {itemId !== undefined && amount === 1 && (
        <>
          <Link
            to="/queues/$id/workitems/$workItemId"
            params={{ id: String(queueId), workItemId: String(itemId) }}
          >
            {m.events.item(String(itemId))}
          </Link>
          {' · '}
        </>
      )}
      {itemId !== undefined && amount > 1 && `${m.events.items(amount)} · `}
      {queueId !== undefined && (
        <Link to="/queues/$id" params={{ id: String(queueId) }}>
          <Text>{queueName ?? m.events.goneQueue(String(queueId))}</Text>
        </Link>
      )}
      {deviceId !== undefined && (
        <>
          {queueId !== undefined && ` ${m.events.onDevice} `}
          <DeviceLink id={deviceId} />
        </>
      )}
    </>
  );
}

/** A device by name, where the user may see that. */
function DeviceLink({ id }: { readonly id: NonNullable<Event['deviceId']> }) {
  const { data } = useQuery(devicesQuery());
  const device = data?.list.find((one) => one.id === id);
  return (
    <Link to="/devices/$id" params={{ id: String(id) }}>
      <Text>{device ? deviceName(device) : m.events.device(String(id))}</Text>
    </Link>
  );
}
