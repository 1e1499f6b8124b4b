import { Link } from '@tanstack/react-router';
import type { CSSProperties } from 'react';
import { m } from './messages.ts';
import type { Device, Running } from './queries.ts';
import css from './devices.module.css';

// With more slots than these, a number takes the place of the squares.
const most = 40;

interface SlotsProps {
  readonly device: Device;
  /** The work that runs on it. */
  readonly running: readonly Running[];
}

/** The slots of a device as squares; a busy one links to its item. */
export function Slots({ device, running }: SlotsProps) {
  const shown = running.slice(0, most);
  const free = Math.max(0, Math.min(device.slots, most) - shown.length);
  return (
    <div className={css.slots}>
      {shown.map((item) => (
        <Slot key={`${item.queueId}/${item.itemId}/${item.startedOn}`} item={item} />
      ))}
      {Array.from({ length: free }, (_, index) => (
        <span key={index} className={css.slot} aria-hidden="true" />
      ))}
      <small>{m.devices.slots(device.busySlots, device.slots)}</small>
    </div>
  );
}

function Slot({ item }: { readonly item: Running }) {
  const bot = item.botName ?? '';
  if (item.itemId === undefined)
    return <span className={css.slot} data-busy title={m.devices.hiddenItem(bot)} />;
  const percent = typeof item.progress?.['percent'] === 'number' ? item.progress['percent'] : undefined;
  const what = m.devices.item(String(item.itemId), bot, item.queueName ?? '');
  const name = percent === undefined ? what : `${what}, ${m.devices.percent(percent)}`;
  return (
    <Link
      to="/queues/$id/workitems/$workItemId"
      params={{ id: String(item.queueId), workItemId: String(item.itemId) }}
      className={css.slot}
      data-busy
      aria-label={name}
      title={name}
      style={{ '--done': `${percent ?? 0}%` } as CSSProperties}
    />
  );
}
