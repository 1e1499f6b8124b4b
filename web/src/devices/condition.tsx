import { CircleCheck, CircleDashed, CircleSlash, LoaderCircle, Unplug } from 'lucide-react';
import { Text } from '../page/text.tsx';
import { m } from './messages.ts';
import type { Device } from './queries.ts';
import { conditionOf } from './rules.ts';
import css from './devices.module.css';

const icons = {
  quarantined: CircleSlash,
  draining: CircleDashed,
  lost: Unplug,
  busy: LoaderCircle,
  free: CircleCheck,
};

/** The condition in words. A drained device can be lost as well, and its reason is that of the drain. */
function wordsFor(device: Device): string {
  const condition = conditionOf(device);
  const isDrained = device.state === 'DRAINING' && device.busySlots === 0;
  if (isDrained && condition === 'lost') return m.devices.drainedLost;
  return isDrained ? m.devices.drained : m.devices.conditions[condition];
}

/** The condition of a device: word, shape and colour, with the reason that was given. */
export function ConditionOf({ device }: { readonly device: Device }) {
  const condition = conditionOf(device);
  const Icon = icons[condition];
  return (
    <span className={css.condition} data-kind={condition}>
      <Icon size={14} aria-hidden="true" />
      <span>
        {wordsFor(device)}
        {device.stateReason && (
          <>
            : <Text>{device.stateReason}</Text>
          </>
        )}
      </span>
    </span>
  );
}
