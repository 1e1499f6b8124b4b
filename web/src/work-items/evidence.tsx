import type { ReactNode } from 'react';
import { JsonView } from '../json/json-view.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { DeviceLink } from '../queues/device-link.tsx';
import { progressOf } from './facts.tsx';
import { plainLog } from './log.tsx';
import type { Item } from './queries.ts';
import { m } from './messages.ts';
import css from './item.module.css';

/** The known facts about an item in doubt, in the order in which they happened. */
export function Evidence({ item }: { readonly item: Item }) {
  const log = plainLog(item.logTail);
  return (
    <>
      <dl className={css.evidence}>
        {factsOf(item).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {log !== '' && (
        <>
          <h3>{m.doubt.log}</h3>
          <pre className={css.log} tabIndex={0} aria-label={m.doubt.log}>
            <Text>{log}</Text>
          </pre>
        </>
      )}
      <LateReports reports={item.doubt?.lateReports ?? []} />
    </>
  );
}

/** The known facts, each under its name. */
function factsOf(item: Item): [string, ReactNode][] {
  const { doubt, progress, pointOfNoReturnOn, endTime, error = '' } = item;
  const facts: [string, ReactNode][] = [
    [m.doubt.noReturn, timeOf(doubt?.pointOfNoReturnOn ?? pointOfNoReturnOn)],
    [
      m.doubt.device,
      doubt?.deviceId && (
        <DeviceLink
          id={doubt.deviceId}
          name={doubt.deviceId === item.deviceId ? item.deviceName : undefined}
        />
      ),
    ],
    [m.members.progress, progress && <Text>{progressOf(progress)}</Text>],
    [m.doubt.silent, timeOf(doubt?.leaseExpiredOn)],
    [m.doubt.since, timeOf(doubt?.since ?? endTime)],
    [m.doubt.why, <Text key="why">{doubt?.reason ?? error}</Text>],
  ];
  return facts.filter(([, value]) => value !== undefined);
}

const timeOf = (on: string | undefined) => on && <Time on={on} />;

type Report = NonNullable<Item['doubt']>['lateReports'][number];

function LateReports({ reports }: { readonly reports: readonly Report[] }) {
  if (reports.length === 0) return undefined;
  return (
    <>
      <h3>{m.doubt.reports}</h3>
      <ul>
        {reports.map(({ id, on, actorName, changes }) => (
          <li key={String(id)}>
            <Time on={on} /> {actorName} <JsonView label={m.doubt.reports} value={changes} />
          </li>
        ))}
      </ul>
    </>
  );
}
