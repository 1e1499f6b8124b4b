import type { Schemas } from '@millrace/api';
import { LongText } from '../page/long-text.tsx';
import { duration, Time } from '../page/time.tsx';
import css from './item.module.css';
import { m } from './messages.ts';

type Attempt = Schemas['Attempt'];

/** The attempts of an item: when, for how long, where, and with what result. */
export function Attempts({ attempts }: { readonly attempts: readonly Attempt[] }) {
  if (attempts.length === 0) return undefined;
  return (
    <>
      <h2>{m.item.attempts}</h2>
      <ol className={css.attempts}>
        {attempts.map((attempt) => (
          <li key={attempt.number}>
            <b>{attempt.outcome ? m.item.outcomes[attempt.outcome] : m.item.goesOn}</b>{' '}
            <Time on={attempt.startedOn} />
            {attempt.endedOn && `, ${m.item.took(duration(lengthOf(attempt.startedOn, attempt.endedOn)))}`}
            {attempt.deviceId !== undefined && `, ${m.items.running(String(attempt.deviceId))}`}
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

function lengthOf(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}
