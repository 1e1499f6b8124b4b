import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { nameOf } from '../devices/rules.ts';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { m } from './messages.ts';
import { remedyOf, type Need } from './rules.ts';
import css from './overview.module.css';

/** What needs a person: a sentence each, its age, and the way to the remedy. */
export function Needs({ needs }: { readonly needs: readonly Need[] }) {
  return (
    <section aria-label={m.overview.needs} className={css.needs} data-none={needs.length === 0}>
      <h2>{m.overview.needs}</h2>
      {needs.length === 0 && <p>{m.overview.nothing}</p>}
      <ul>
        {needs.map((need) => (
          <li key={keyOf(need)} data-kind={need.kind}>
            <span>
              <Text>{sentenceOf(need)}</Text>
            </span>
            <Time on={need.since} />
            <Remedy need={need} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function keyOf(need: Need): string {
  if (need.kind === 'doubts') return `doubts ${need.queueId}`;
  return need.kind === 'queue' ? `queue ${need.stats.queueId}` : `device ${need.device.id}`;
}

function sentenceOf(need: Need): string {
  if (need.kind === 'doubts') return m.overview.doubts(need.amount, need.queueName);
  if (need.kind === 'queue') return m.overview.queue(need.stats.queueName, need.why.sentence);
  const name = nameOf(need.device);
  if (need.kind === 'quarantined') return m.overview.quarantined(name, need.device.stateReason ?? '');
  return need.kind === 'lost' ? m.overview.lost(name) : m.overview.lostWithItems(name, need.device.busySlots);
}

function Remedy({ need }: { readonly need: Need }): ReactNode {
  if (need.kind === 'doubts')
    return (
      <Link
        to="/queues/$id"
        params={{ id: String(need.queueId) }}
        search={{ q: 'failureKind:IN_DOUBT' }}
        className={css.remedy}
      >
        {m.overview.settle}
      </Link>
    );
  if (need.kind !== 'queue')
    return (
      <Link to="/devices/$id" params={{ id: String(need.device.id) }} className={css.remedy}>
        {m.overview.openDevice}
      </Link>
    );
  const remedy = remedyOf(need.why.code);
  if (remedy === 'queue')
    return (
      <Link to="/queues/$id" params={{ id: String(need.stats.queueId) }} className={css.remedy}>
        {m.overview.openQueue}
      </Link>
    );
  return (
    <Link to={remedy === 'device' ? '/devices' : '/automations'} className={css.remedy}>
      {remedy === 'device' ? m.overview.openDevices : m.overview.openAutomations}
    </Link>
  );
}
