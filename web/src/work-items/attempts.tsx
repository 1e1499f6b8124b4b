import type { Schemas } from '@millrace/api';
import { LongText } from '../page/long-text.tsx';
import { Text } from '../page/text.tsx';
import { duration, Time } from '../page/time.tsx';
import { DeviceLink } from '../queues/device-link.tsx';
import { placeOf, spanOf, type Place } from './attempt-rules.ts';
import css from './item.module.css';
import { m } from './messages.ts';

type Attempt = Schemas['Attempt'];

/** The attempts of an item: when, for how long, where, and with what result. */
export function Attempts({ attempts }: { readonly attempts: readonly Attempt[] }) {
  if (attempts.length === 0) return undefined;
  const span = spanOf(attempts, Date.now());
  return (
    <>
      <h2>{m.item.attempts}</h2>
      <ol className={css.attempts}>
        {attempts.map((attempt) => (
          <li key={attempt.number}>
            <b>{attempt.outcome ? m.item.outcomes[attempt.outcome] : m.item.goesOn}</b>{' '}
            <Time on={attempt.startedOn} />
            {attempt.endedOn && `, ${m.item.took(duration(lengthOf(attempt.startedOn, attempt.endedOn)))}`}
            <Where attempt={attempt} />
            <Bar {...placeOf(attempt, span)} />
            {attempt.error && (
              <p>
                <LongText>{attempt.error}</LongText>
              </p>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}

function Where({ attempt: { deviceId, deviceName, actorName } }: { readonly attempt: Attempt }) {
  if (deviceId === undefined)
    return actorName !== undefined && <Text>{`, ${m.item.attemptBy(actorName)}`}</Text>;
  return (
    <>
      {`, ${m.items.on} `}
      <DeviceLink id={deviceId} name={deviceName} />
    </>
  );
}

/** The place of an attempt among all of them, as a bar on one axis of time. */
function Bar({ start, length }: Place) {
  return (
    <span className={css.axis} aria-hidden="true">
      <span className={css.bar} style={{ insetInlineStart: `${start}%`, width: `${length}%` }} />
    </span>
  );
}

function lengthOf(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}
