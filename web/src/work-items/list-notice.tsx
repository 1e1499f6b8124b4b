import type { Schemas } from '@millrace/api';
import { Button } from 'react-aria-components';
import { allOf, parse, partsOf, print } from '../filters/parse.ts';
import { Notice, Skeleton } from '../page/states.tsx';
import { EmptyQueue } from './empty-queue.tsx';
import { m } from './messages.ts';
import type { ItemList } from './use-items.ts';
import css from './work-items.module.css';

interface Props {
  readonly queue: Schemas['Queue'];
  readonly q: string;
  readonly list: ItemList;
  readonly onFilter: (q: string) => void;
}

/** The notice beside the rows or in their place: slow, refused, nothing found, or stopped. */
export function ListNotice({ queue, q, list, onFilter }: Props) {
  if (list.error) return <Refused message={list.error.message} q={q} onFilter={onFilter} />;
  if (list.isReading) return <Skeleton />;
  if (list.lookedAt !== undefined)
    return (
      <p className={css.partial} role="status">
        {m.items.partial(list.lookedAt)} <Button onPress={list.goOn}>{m.items.goOn}</Button>
      </p>
    );
  if (list.items.length > 0) return undefined;
  if (q === '') return <EmptyQueue queue={queue} />;
  return <Nothing q={q} onFilter={onFilter} />;
}

function Refused({ message, q, onFilter }: { readonly message: string } & Pick<Props, 'q' | 'onFilter'>) {
  return (
    <Notice title={m.items.refused}>
      <p>{message}</p>
      <p>
        <Button onPress={() => onFilter(`${q} created>now-24h`.trim())}>{m.items.narrow}</Button>
      </p>
    </Notice>
  );
}

/** Offers the filter without each one of its parts. */
function Nothing({ q, onFilter }: Pick<Props, 'q' | 'onFilter'>) {
  const parts = partsOf(parse(q));
  return (
    <Notice title={m.items.noMatch}>
      <p>
        <code>{q}</code>
      </p>
      <p className={css.ways}>
        {parts.length > 1 &&
          parts.map((part, index) => (
            <Button
              key={index}
              onPress={() => onFilter(print(allOf(parts.filter((other) => other !== part))))}
            >
              {m.items.without(print(part))}
            </Button>
          ))}
        <Button onPress={() => onFilter('')}>{m.items.clear}</Button>
      </p>
    </Notice>
  );
}
