import { DeviceLink } from '../queues/device-link.tsx';
import { m } from './messages.ts';
import type { Item } from './queries.ts';
import css from './work-items.module.css';

/** The device that processes an item, or did so last, and how far it has come. */
export function Holder({ item }: { readonly item: Pick<Item, 'deviceId' | 'status' | 'progress'> }) {
  if (item.deviceId === undefined) return undefined;
  const percent = item.status === 'IN_PROGRESS' ? item.progress?.percent : undefined;
  return (
    <span className={css.holder}>
      <DeviceLink id={item.deviceId} />
      {percent !== undefined && (
        <>
          {' '}
          <progress max={100} value={percent} aria-label={m.members.progress} /> {percent} %
        </>
      )}
    </span>
  );
}
