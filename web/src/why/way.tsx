import type { Id, Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Sentence } from '../page/sentence.tsx';
import { Text } from '../page/text.tsx';
import { m } from './messages.ts';
import { automationsOfQuery, poolsQuery, wayQuery, type Automation } from './queries.ts';
import { judgedAlike, parts, reasonsOn, stopsOn, type Part, type Stop } from './rules.ts';

interface Queue {
  readonly id: Id;
  /** Left out where it may not be seen. */
  readonly name?: string | undefined;
}

type Reasons = readonly Schemas['Reason'][];

interface QueueWayProps {
  readonly queue: Queue;
  /** The explanation of the queue. */
  readonly reasons: Reasons;
}

/** The way of the items of a queue by its active automation, or by those that rest. */
export function WayOfQueue({ queue, reasons }: QueueWayProps) {
  const { data } = useQuery(automationsOfQuery(queue.id));
  const active = data?.list.filter(({ status }) => status === 'ACTIVE') ?? [];
  const shown = active.length > 0 ? active : (data?.list ?? []);
  const isWithout = shown.length === 0 && reasons.some(({ code }) => code === 'NO_AUTOMATION');
  return (
    <>
      {shown.map((automation) => (
        <Way key={String(automation.id)} queue={queue} automation={automation} reasons={reasons} />
      ))}
      {isWithout && <WayToNowhere queue={queue} reasons={reasons} />}
    </>
  );
}

interface WayProps {
  readonly queue: Queue;
  readonly automation: Automation;
  /** The explanation of the queue, where there is one: it knows more than that of the automation. */
  readonly reasons?: Reasons;
}

/** The way of items from a queue by an automation to the devices of a pool, with what keeps them where. */
export function Way({ queue, automation, reasons = [] }: WayProps) {
  const { id, name, botName } = automation;
  const { data: why } = useQuery(wayQuery(id));
  if (!why) return undefined;
  return (
    <Parts stops={stopsOn([...reasonsOn(id, reasons), ...why.reasons], why.devices)}>
      {{
        queue: <QueueLink queue={queue} />,
        automation: (
          <>
            <Link to="/automations/$id" params={{ id: String(id) }}>
              <Text>{name}</Text>
            </Link>
            <small className="soft">
              <Text>{m.way.bot(botName)}</Text>
            </small>
          </>
        ),
        pool: <PoolLink automation={automation} />,
        devices: <Devices verdicts={why.devices} />,
      }}
    </Parts>
  );
}

/** The way of items that no automation sends. */
function WayToNowhere({ queue, reasons }: QueueWayProps) {
  return (
    <Parts stops={stopsOn(reasons, [])}>
      {{ queue: <QueueLink queue={queue} />, automation: m.way.none }}
    </Parts>
  );
}

interface PartsProps {
  readonly stops: Partial<Record<Part, Stop>>;
  readonly children: Partial<Record<Part, ReactNode>>;
}

function Parts({ stops, children }: PartsProps) {
  return (
    <ol className="way fields" aria-label={m.way.title}>
      {parts
        .filter((part) => children[part] !== undefined)
        .map((part) => (
          <li key={part} data-kind={stops[part]?.kind}>
            <small className="soft">{m.way.parts[part]}</small>
            {/* Devices may be many: what is said of them all comes first. */}
            {part === 'devices' && <Told stop={stops[part]} />} {children[part]}
            {part !== 'devices' && <Told stop={stops[part]} />}
          </li>
        ))}
    </ol>
  );
}

function Told({ stop }: { readonly stop: Stop | undefined }) {
  if (!stop) return undefined;
  return (
    <p>
      {stop.kind !== 'rests' && <b>{m.way.marks[stop.kind]} </b>}
      <Sentence>{stop.sentence}</Sentence>
    </p>
  );
}

function QueueLink({ queue: { id, name } }: { readonly queue: Queue }) {
  if (name === undefined) return m.way.queue(String(id));
  return (
    <Link to="/queues/$id" params={{ id: String(id) }}>
      <Text>{name}</Text>
    </Link>
  );
}

function PoolLink({ automation: { poolId } }: { readonly automation: Automation }) {
  const { data } = useQuery(poolsQuery());
  const pool = data?.list.find(({ id }) => id === poolId);
  if (!pool) return m.way.pool(String(poolId));
  return (
    <>
      <Link to="/pools" hash={`pool-${String(poolId)}`}>
        <Text>{pool.name}</Text>
      </Link>
      <small className="soft">{m.way.devices(pool.deviceCount)}</small>
    </>
  );
}

const mostNamed = 8;

/** The devices, together where the same is to be said of them. */
function Devices({ verdicts }: { readonly verdicts: readonly Schemas['DeviceVerdict'][] }) {
  if (verdicts.length === 0) return '–';
  return (
    <ul>
      {judgedAlike(verdicts).map(({ sentence, devices }) => (
        <li key={sentence}>
          {devices.slice(0, mostNamed).map(({ deviceId, deviceName }) => (
            <Link key={String(deviceId)} to="/devices/$id" params={{ id: String(deviceId) }}>
              <Text>{deviceName}</Text>
            </Link>
          ))}
          {devices.length > mostNamed && m.way.more(devices.length - mostNamed)}
          <small className="soft">
            <Sentence>{sentence}</Sentence>
          </small>
        </li>
      ))}
    </ul>
  );
}
