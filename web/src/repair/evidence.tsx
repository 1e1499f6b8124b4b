import type { ReactNode } from 'react';
import { JsonView } from '../json/json-view.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import type { Item } from '../work-items/queries.ts';
import { m } from './messages.ts';
import css from './repair.module.css';

/** The known facts about an item in doubt, in the order in which they happened. */
export function Evidence({ item }: { readonly item: Item }) {
  const { logTail, json } = item;
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
      <JsonView label={m.members.json} value={json} />
      {logTail && (
        <>
          <h3>{m.doubts.log}</h3>
          <pre className={css.log} tabIndex={0} aria-label={m.doubts.log}>
            <Text>{logTail}</Text>
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
    [m.doubts.noReturn, timeOf(doubt?.pointOfNoReturnOn ?? pointOfNoReturnOn)],
    [m.doubts.device, doubt?.deviceId?.toString()],
    [m.members.progress, progress && <Text>{progressOf(progress)}</Text>],
    [m.doubts.silent, timeOf(doubt?.leaseExpiredOn)],
    [m.doubts.since, timeOf(doubt?.since ?? endTime)],
    [m.doubts.why, <Text key="why">{doubt?.reason ?? error}</Text>],
  ];
  return facts.filter(([, value]) => value !== undefined);
}

const timeOf = (on: string | undefined) => on && <Time on={on} />;

function progressOf({ percent, text = '' }: NonNullable<Item['progress']>): string {
  return percent === undefined ? text : `${percent} % ${text}`;
}

type Report = NonNullable<Item['doubt']>['lateReports'][number];

function LateReports({ reports }: { readonly reports: readonly Report[] }) {
  if (reports.length === 0) return undefined;
  return (
    <>
      <h3>{m.doubts.reports}</h3>
      <ul>
        {reports.map(({ id, on, actorName, changes }) => (
          <li key={String(id)}>
            <Time on={on} /> {actorName} <JsonView label={m.doubts.reports} value={changes} />
          </li>
        ))}
      </ul>
    </>
  );
}
