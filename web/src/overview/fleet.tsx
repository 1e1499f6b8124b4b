import { useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { m as ofDevices } from '../devices/messages.ts';
import { poolsQuery, type Device } from '../devices/queries.ts';
import { conditionOf, groupsOf, worstFirst } from '../devices/rules.ts';
import { deviceName } from '../page/device-name.ts';
import { Text } from '../page/text.tsx';
import { m } from './messages.ts';
import css from './overview.module.css';

/** One square for each device, by pool. */
export function Fleet({ devices }: { readonly devices: readonly Device[] }) {
  const { data: pools } = useSuspenseQuery(poolsQuery());
  const groups = groupsOf(worstFirst(devices), pools.list, ofDevices.devices.withoutPool);
  return (
    <section aria-label={m.overview.fleet}>
      <h2>{m.overview.fleet}</h2>
      {devices.length === 0 && <p>{m.overview.noFleet}</p>}
      <div className={css.fleet}>
        {groups.map((group) => (
          <div key={String(group.id)} role="group" aria-label={group.name}>
            <Text>{group.name}</Text>
            <span className={css.squares}>
              {group.devices.map((device) => (
                <Square key={String(device.id)} device={device} />
              ))}
            </span>
          </div>
        ))}
      </div>
    </section>
  );
}

// A mark besides the colour; working devices have none.
const marks = { quarantined: '×', draining: '↓', lost: '!', busy: '', free: '' };

function Square({ device }: { readonly device: Device }) {
  const condition = conditionOf(device);
  const name = m.overview.square(deviceName(device), ofDevices.devices.conditions[condition]);
  return (
    <Link
      to="/devices/$id"
      params={{ id: String(device.id) }}
      className={css.square}
      data-kind={condition}
      aria-label={name}
      title={`${name}, ${ofDevices.devices.slots(device.busySlots, device.slots)}`}
    >
      <span aria-hidden="true">{marks[condition]}</span>
    </Link>
  );
}
