import { LongText } from '../page/long-text.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { DeviceLink } from '../queues/device-link.tsx';
import { m } from './messages.ts';
import type { Item } from './queries.ts';
import css from './work-items.module.css';

const times = [
  'createdOn',
  'updatedOn',
  'startTime',
  'endTime',
  'deferredUntil',
  'notBefore',
  'expiresOn',
  'leaseExpiresOn',
  'pointOfNoReturnOn',
  'cancelRequestedOn',
] as const;
const words = ['failureKind', 'retryCount', 'lapseCount', 'priority', 'version'] as const;
const texts = ['error', 'comment', 'resultText', 'cancelReason'] as const;

/** The known facts of an item beside its data; missing members are left out. */
export function ItemFacts({ item }: { readonly item: Item }) {
  return (
    <dl className={css.facts}>
      {texts.map(
        (name) => item[name] && <Fact key={name} name={name} value={<LongText>{item[name]}</LongText>} />,
      )}
      {words.map(
        (name) => item[name] !== undefined && <Fact key={name} name={name} value={String(item[name])} />,
      )}
      {item.deviceId !== undefined && (
        <Fact name="deviceId" value={<DeviceLink id={item.deviceId} name={item.deviceName} />} />
      )}
      {item.progress && <Fact name="progress" value={<Text>{progressOf(item.progress)}</Text>} />}
      {times.map(
        (name) =>
          item[name] && (
            <Fact key={name} name={name} value={<Moment on={item[name]} by={whoDid(item, name)} />} />
          ),
      )}
      {item.tags?.length ? <Fact name="tags" value={<Text>{item.tags.join(', ')}</Text>} /> : undefined}
    </dl>
  );
}

function Fact({ name, value }: { readonly name: keyof typeof m.members; readonly value: React.ReactNode }) {
  return (
    <div>
      <dt>{m.members[name]}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The name of the user who did what the time is of. */
function whoDid(item: Item, time: (typeof times)[number]): string | undefined {
  if (time === 'createdOn') return item.createdByName;
  if (time === 'updatedOn') return item.updatedByName;
  return time === 'cancelRequestedOn' ? item.cancelRequestedByName : undefined;
}

interface MomentProps {
  readonly on: string;
  /** The name of the user who did it, where one did. */
  readonly by: string | undefined;
}

function Moment({ on, by }: MomentProps) {
  return (
    <>
      <Time on={on} /> {by !== undefined && <Text>{m.item.by(by)}</Text>}
    </>
  );
}

/** How far a bot has come, by its own words. */
export function progressOf({ percent, text = '' }: NonNullable<Item['progress']>): string {
  return percent === undefined ? text : `${percent} % ${text}`;
}
