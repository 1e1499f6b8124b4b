import type { Schemas } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Fragment, useRef, useState } from 'react';
import { Button, Input, SearchField } from 'react-aria-components';
import { useRows } from '../page/rows.ts';
import { Command, Notice } from '../page/states.tsx';
import { deviceName } from '../page/device-name.ts';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { useTitle } from '../page/title.ts';
import { ConditionOf } from './condition.tsx';
import { HoldActions } from './hold.tsx';
import { ManyActions } from './many.tsx';
import { m } from './messages.ts';
import { devicesQuery, poolsQuery, useMay, workQuery, type Device, type Running } from './queries.ts';
import { groupsOf, hasText, worstFirst } from './rules.ts';
import { Slots } from './slots.tsx';
import css from './devices.module.css';

export { loadDevices as load } from './queries.ts';

/** All devices by pool, those that need a person first. */
export function Page() {
  const { q = '', pool } = useSearch({ from: '/frame/devices' });
  const navigate = useNavigate({ from: '/devices' });
  const { data: devices } = useSuspenseQuery(devicesQuery());
  const { data: work } = useSuspenseQuery(workQuery());
  const { data: pools } = useSuspenseQuery(poolsQuery());
  const board = useRef<HTMLDivElement>(null);
  useRows(board);
  useTitle(m.devices.title);
  const { chosen, choose, clear } = useChosen(devices.list);
  const search = (some: Search) => void navigate({ search: clean({ q, pool, ...some }), replace: true });
  const found = worstFirst(devices.list.filter((device) => hasText(device, q) && isIn(device, pool)));
  const groups = groupsOf(
    found,
    pool === undefined ? pools.list : poolsOf(pools.list, pool),
    m.devices.withoutPool,
  );
  return (
    <div ref={board}>
      <header className="head">
        <h1>{m.devices.title}</h1>
        <span className={css.total}>{m.devices.total(devices.page.total)}</span>
        <Narrow q={q} pool={pool} pools={pools.list} onSearch={search} />
      </header>
      {devices.list.length === 0 && <None />}
      {devices.list.length > 0 && found.length === 0 && (
        <Notice title={q === '' ? m.devices.noneInPool : m.devices.noMatch(q)}>
          <Button onPress={() => search({ q: undefined, pool: undefined })}>{m.devices.clear}</Button>
        </Notice>
      )}
      {chosen.length > 0 && <ManyActions devices={chosen} onClear={clear} />}
      {groups.map((group) => (
        <section key={String(group.id)} className={css.group} aria-label={group.name}>
          <h2>
            <Text>{group.name}</Text>
          </h2>
          <div className={css.cards}>
            {group.devices.map((device) => (
              <Card
                key={String(device.id)}
                device={device}
                running={runningOn(device, work.list)}
                isChosen={chosen.includes(device)}
                onChoose={() => choose(String(device.id))}
              />
            ))}
          </div>
        </section>
      ))}
    </div>
  );
}

interface Search {
  readonly q?: string | undefined;
  /** The id of a pool. */
  readonly pool?: string | undefined;
}

const clean = ({ q, pool }: Search) => ({ ...(q && { q }), ...(pool && { pool }) });

type Pools = readonly Schemas['Pool'][];

const poolsOf = (pools: Pools, id: string) => pools.filter((pool) => String(pool.id) === id);

function isIn({ poolIds }: Device, pool: string | undefined): boolean {
  return pool === undefined || poolIds.some((id) => String(id) === pool);
}

interface NarrowProps extends Search {
  readonly pools: Pools;
  readonly onSearch: (some: Search) => void;
}

/** The choice by a text and by pool. */
function Narrow({ q = '', pool, pools, onSearch }: NarrowProps) {
  return (
    <span className="narrow">
      <select
        aria-label={m.devices.inPool}
        value={pool ?? ''}
        onChange={({ target }) => onSearch({ pool: target.value })}
      >
        <option value="">{m.devices.allPools}</option>
        {pools.map(({ id, name }) => (
          <option key={String(id)} value={String(id)}>
            {name}
          </option>
        ))}
      </select>
      <SearchField aria-label={m.devices.filter} value={q} onChange={(text) => onSearch({ q: text })}>
        <Input placeholder={m.devices.filter} />
      </SearchField>
    </span>
  );
}

/** The devices chosen for an action; one that is gone is chosen no longer. */
function useChosen(devices: readonly Device[]) {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  return {
    chosen: devices.filter(({ id }) => ids.has(String(id))),
    choose: (id: string) =>
      setIds((now) => new Set(now.has(id) ? [...now].filter((one) => one !== id) : [...now, id])),
    clear: () => setIds(new Set()),
  };
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

/** The agent, the labels and the bots of a device, as far as it has them. */
function factsOf({ agentVersion, labels, bots }: Device): string[] {
  return [...(agentVersion === '' ? [] : [m.devices.version(agentVersion)]), ...labels, ...bots];
}

interface CardProps {
  readonly device: Device;
  readonly running: readonly Running[];
  readonly isChosen?: boolean;
  /** Chooses it for an action on many, or no longer. */
  readonly onChoose?: () => void;
}

export function Card({ device, running, isChosen = false, onChoose }: CardProps) {
  return (
    <article className={css.card} data-row aria-label={deviceName(device)}>
      <h3>
        {onChoose && (
          <input
            type="checkbox"
            className={`tick ${css.choose ?? ''}`}
            aria-label={m.devices.choose(deviceName(device))}
            checked={isChosen}
            onChange={onChoose}
          />
        )}
        <Link to="/devices/$id" params={{ id: String(device.id) }}>
          <Text>{deviceName(device)}</Text>
        </Link>
      </h3>
      <ConditionOf device={device} />
      <Slots device={device} running={running} />
      <p className={css.more}>
        {m.devices.lastSeen} <Time on={device.lastSeenOn} />
        {factsOf(device).map((fact, index) => (
          <Fragment key={index}>
            {' · '}
            <Text>{fact}</Text>
          </Fragment>
        ))}
      </p>
      <HoldActions device={device} />
    </article>
  );
}
