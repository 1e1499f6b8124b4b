import { toId, type Schemas } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useRef } from 'react';
import { acts } from '../messages/acts.ts';
import { useRows } from '../page/rows.ts';
import { Sentence } from '../page/sentence.tsx';
import { deviceName } from '../page/device-name.ts';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { useTitle } from '../page/title.ts';
import { Remedies } from '../queues/reasons.tsx';
import { ConditionOf } from './condition.tsx';
import { ManageDevice } from './delete.tsx';
import { HoldActions } from './hold.tsx';
import { m } from './messages.ts';
import { OutcomesOf } from './outcomes.tsx';
import {
  deviceEventsQuery,
  deviceQuery,
  deviceWhyQuery,
  workOfQuery,
  type Device,
  type Running,
} from './queries.ts';
import { Slots } from './slots.tsx';
import css from './devices.module.css';

export { loadDevice as load } from './queries.ts';

/** One device: the item it gets next or why it gets none, its running work, and its events. */
export function Page() {
  const { id } = useParams({ from: '/frame/devices/$id' });
  const { data: device } = useSuspenseQuery(deviceQuery(toId(id)));
  const { data: why } = useSuspenseQuery(deviceWhyQuery(toId(id)));
  const { data: work } = useSuspenseQuery(workOfQuery(toId(id)));
  const page = useRef<HTMLElement>(null);
  useRows(page);
  useTitle(deviceName(device), m.devices.title);
  return (
    <article ref={page} className={`page ${css.device}`}>
      <header>
        <nav aria-label={m.common.breadcrumb}>
          <Link to="/devices">{m.devices.title}</Link> /
        </nav>
        <h1>
          <Text>{deviceName(device)}</Text>
        </h1>
        <ConditionOf device={device} />
      </header>
      <p className="why">
        <Sentence>{why.sentence}</Sentence>
      </p>
      <Remedies reasons={why.reasons} />
      <HoldActions device={device} />
      <ManageDevice device={device} />
      <h2>{m.devices.runsNow}</h2>
      <Slots device={device} running={work.list} />
      <Runs running={work.list} />
      <Facts device={device} />
      <h2>{m.devices.outcomes}</h2>
      <OutcomesOf id={id} />
      <h2>{m.devices.happened}</h2>
      <Happened id={id} />
    </article>
  );
}

function Runs({ running }: { readonly running: readonly Running[] }) {
  if (running.length === 0) return <p className={css.more}>{m.devices.nothingRuns}</p>;
  return (
    <ul className={css.list}>
      {running.map((item) => (
        <li key={`${item.queueId}/${item.itemId}/${item.startedOn}`}>
          <Time on={item.startedOn} />
          <span>
            {item.itemId === undefined ? (
              m.devices.hiddenItem(item.botName ?? '')
            ) : (
              <Link
                to="/queues/$id/workitems/$workItemId"
                params={{ id: String(item.queueId), workItemId: String(item.itemId) }}
              >
                {m.devices.item(String(item.itemId), item.botName ?? '', item.queueName ?? '')}
              </Link>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Facts({ device }: { readonly device: Device }) {
  const facts = [
    [m.devices.labels, device.labels.join(', ')],
    [m.devices.bots, device.bots.join(', ')],
    [m.devices.agent, device.agentVersion],
  ] as const;
  return (
    <dl className={css.facts}>
      {facts.map(
        ([name, value]) =>
          value && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <Text>{value}</Text>
              </dd>
            </div>
          ),
      )}
      <div>
        <dt>{m.devices.lastSeen}</dt>
        <dd>
          <Time on={device.lastSeenOn} />
        </dd>
      </div>
    </dl>
  );
}

/** A change of the device, or of an item on it. */
function Did({
  event: { operation, queueId, queueName = '', itemId },
}: {
  readonly event: Schemas['Event'];
}) {
  if (queueId === undefined || itemId === undefined)
    return <Text>{acts.didTo(operation, m.devices.thisOne)}</Text>;
  return (
    <>
      <Text>{acts.did(operation)}</Text>{' '}
      <Link
        to="/queues/$id/workitems/$workItemId"
        params={{ id: String(queueId), workItemId: String(itemId) }}
      >
        {m.devices.itemOf(String(itemId), queueName)}
      </Link>
    </>
  );
}

function Happened({ id }: { readonly id: string }) {
  const { data } = useSuspenseQuery(deviceEventsQuery(toId(id)));
  return (
    <>
      <ul className={css.list}>
        {data.list.map((event) => (
          <li key={event.cursor}>
            <Time on={event.on} />
            <span>
              <b>
                <Text>{acts.actor(event)}</Text>
              </b>{' '}
              <Did event={event} />{' '}
              {event.reason && (
                <q>
                  <Sentence>{event.reason}</Sentence>
                </q>
              )}
            </span>
          </li>
        ))}
      </ul>
      {data.isMore && (
        <Link to="/events" search={{ q: `device:${id}` }}>
          {m.devices.older}
        </Link>
      )}
    </>
  );
}
