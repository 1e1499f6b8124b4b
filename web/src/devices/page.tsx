import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Button, Input, SearchField } from 'react-aria-components';
import { useRef } from 'react';
import { useRows } from '../page/rows.ts';
import { Command, Notice } from '../page/states.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { useTitle } from '../page/title.ts';
import { ConditionOf } from './condition.tsx';
import { HoldActions } from './hold.tsx';
import { m } from './messages.ts';
import { devicesQuery, poolsQuery, useMay, workQuery, type Device, type Running } from './queries.ts';
import { groupsOf, hasText, nameOf, worstFirst } from './rules.ts';
import { Slots } from './slots.tsx';
import css from './devices.module.css';

export { loadDevices as load } from './queries.ts';

/** All devices by pool, those that need a person first. */
export function Page() {
  const { q = '' } = useSearch({ from: '/frame/devices' });
  const navigate = useNavigate({ from: '/devices' });
  const { data: devices } = useSuspenseQuery(devicesQuery());
  const { data: work } = useSuspenseQuery(workQuery());
  const { data: pools } = useSuspenseQuery(poolsQuery());
  const board = useRef<HTMLDivElement>(null);
  useRows(board);
  useTitle(m.devices.title);
  const search = (text: string) => void navigate({ search: text ? { q: text } : {}, replace: true });
  const found = worstFirst(devices.list.filter((device) => hasText(device, q)));
  return (
    <div ref={board}>
      <header className="head">
        <h1>{m.devices.title}</h1>
        <span className={css.total}>{m.devices.total(devices.page.total)}</span>
        <SearchField aria-label={m.devices.filter} value={q} onChange={search} className={css.search}>
          <Input placeholder={m.devices.filter} />
        </SearchField>
      </header>
      {devices.list.length === 0 && <None />}
      {devices.list.length > 0 && found.length === 0 && (
        <Notice title={m.devices.noMatch(q)}>
          <Button onPress={() => search('')}>{m.devices.clear}</Button>
        </Notice>
      )}
      {groupsOf(found, pools.list, m.devices.withoutPool).map((group) => (
        <section key={String(group.id)} className={css.group} aria-label={group.name}>
          <h2>
            <Text>{group.name}</Text>
          </h2>
          <div className={css.cards}>
            {group.devices.map((device) => (
              <Card key={String(device.id)} device={device} running={runningOn(device, work.list)} />
            ))}
          </div>
        </section>
      ))}
    </div>
  );
}

/** Only users who see all know that there is none; others may lack the permission. */
function None() {
  const seesAll = useMay('viewDevices', 'manageDevices');
  const mayMakeKeys = useMay('generateApiKey');
  return (
    <Notice title={seesAll ? m.devices.empty : m.devices.unseen}>
      {!seesAll && <p>{m.devices.unseenText}</p>}
      <p>
        {m.devices.emptyText} {mayMakeKeys && <Link to="/apikeys">{m.devices.keys}</Link>}
      </p>
      <Command>millrace agent --config agent.yaml</Command>
    </Notice>
  );
}

export function runningOn({ id }: Device, work: readonly Running[]): readonly Running[] {
  return work.filter(({ deviceId }) => deviceId === id);
}

export function Card({ device, running }: { readonly device: Device; readonly running: readonly Running[] }) {
  return (
    <article className={css.card} data-row aria-label={nameOf(device)}>
      <h3>
        <Link to="/devices/$id" params={{ id: String(device.id) }}>
          <Text>{nameOf(device)}</Text>
        </Link>
      </h3>
      <ConditionOf device={device} />
      <Slots device={device} running={running} />
      <p className={css.more}>
        {m.devices.lastSeen} <Time on={device.lastSeenOn} />
        {device.labels.length > 0 && (
          <>
            {' · '}
            <Text>{device.labels.join(', ')}</Text>
          </>
        )}
      </p>
      <HoldActions device={device} />
    </article>
  );
}
