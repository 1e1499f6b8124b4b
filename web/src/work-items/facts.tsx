import { LongText } from '../page/long-text.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
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
const words = ['failureKind', 'retryCount', 'lapseCount', 'priority', 'deviceId', 'version'] as const;
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
      {item.progress && <Fact name="progress" value={progressOf(item)} />}
      {times.map((name) => item[name] && <Fact key={name} name={name} value={<Time on={item[name]} />} />)}
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

function progressOf({ progress }: Item) {
  const percent = progress?.percent === undefined ? '' : `${progress.percent} % `;
  return <Text>{percent + (progress?.text ?? '')}</Text>;
}
