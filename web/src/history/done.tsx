import { Link } from '@tanstack/react-router';
import css from '../charts/charts.module.css';
import type { Mark } from '../charts/rules.ts';
import { Text } from '../page/text.tsx';
import { exactly } from '../page/time.tsx';
import { m } from './messages.ts';

interface Props {
  readonly id: string;
  readonly from: string;
  /** The newest first. */
  readonly marks: readonly Mark[];
  /** Whether there are older ones. */
  readonly isMore: boolean;
}

/** The changes of a queue, which its charts have as marks, to be read. */
export function Done({ id, from, marks, isMore }: Props) {
  return (
    <section aria-label={m.history.done} className={css.chart}>
      <h2>{m.history.done}</h2>
      {marks.length === 0 && !isMore && <p>{m.history.nothingDone}</p>}
      <ul>
        {marks.map(({ on, text }, index) => (
          <li key={index}>
            {exactly(on.toISOString())}: <Text>{text}</Text>
          </li>
        ))}
      </ul>
      <p>
        {isMore && m.history.moreDone(marks.length)}{' '}
        <Link to="/queues/$id/activity" params={{ id }} search={{ q: `item:0 at>=${from}` }}>
          {m.history.allDone}
        </Link>
      </p>
    </section>
  );
}
