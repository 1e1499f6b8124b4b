import type { Id, Schemas } from '@millrace/api';
import { Link } from '@tanstack/react-router';
import { oneOf } from '../filters/ids.ts';
import { Text } from '../page/text.tsx';
import css from './item.module.css';
import { m } from './messages.ts';

interface Props {
  readonly queueId: Id;
  readonly refusals: readonly Schemas['BulkRefusal'][];
  readonly onFollow?: () => void;
}

/** The reasons why some items are refused: one sentence for each kind, and a way to its items. */
export function Refusals({ queueId, refusals, onFollow }: Props) {
  const codes = [...new Set(refusals.map(({ code }) => code))];
  return (
    <ul className={css.refusals}>
      {codes.map((code) => (
        <Kind
          key={code}
          code={code}
          of={refusals.filter((one) => one.code === code)}
          {...{ queueId, onFollow }}
        />
      ))}
    </ul>
  );
}

interface KindProps extends Pick<Props, 'queueId' | 'onFollow'> {
  readonly code: string;
  readonly of: Props['refusals'];
}

function Kind({ queueId, code, of, onFollow }: KindProps) {
  return (
    <li>
      <Link
        to="/queues/$id"
        params={{ id: String(queueId) }}
        search={{ q: oneOf(of.map(({ id }) => id)) }}
        onClick={onFollow}
      >
        {m.bulk.refusedFor(of.length, code)}
      </Link>{' '}
      <Text>{of[0]?.message ?? ''}</Text>
    </li>
  );
}
