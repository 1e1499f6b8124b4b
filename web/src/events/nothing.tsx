import { useQuery } from '@tanstack/react-query';
import { Button } from 'react-aria-components';
import { allOf, partsOfLine, print, type Filter } from '../filters/parse.ts';
import { Command, Notice } from '../page/states.tsx';
import { m } from './messages.ts';
import { countsQuery } from './queries.ts';
import { sumOf, type EventQuery } from './rules.ts';
import css from './events.module.css';

/** The query of a filter; undefined where it cannot be understood. */
export type Understand = (q: string) => EventQuery | undefined;

interface Props {
  readonly q: string;
  readonly understand: Understand;
  readonly onFilter: (q: string) => void;
}

/** That there is nothing, and how there would be something: the filter without each of its parts, with how much that is. */
export function Nothing({ q, understand, onFilter }: Props) {
  if (q === '')
    return (
      <Notice title={m.events.empty}>
        <p>{m.events.emptyText}</p>
        <Command>millrace events --follow</Command>
      </Notice>
    );
  const parts = partsOfLine(q);
  return (
    <Notice title={m.events.emptyFiltered}>
      <p>
        <code>{q}</code>
      </p>
      <p className={css.ways}>
        {parts.length > 1 &&
          parts.map((part, index) => {
            const rest = print(allOf(parts.filter((other) => other !== part)));
            const query = countable(part) ? understand(rest) : undefined;
            return <Way key={index} term={print(part)} query={query} onPress={() => onFilter(rest)} />;
          })}
        <Button onPress={() => onFilter('')}>{m.items.clear}</Button>
      </p>
    </Notice>
  );
}

/** Of all times only those of a day would be counted. */
function countable(part: Filter): boolean {
  return !(part.is === 'compare' && part.field.toLowerCase() === 'at');
}

interface WayProps {
  readonly term: string;
  /** Undefined where it is not counted. */
  readonly query: EventQuery | undefined;
  readonly onPress: () => void;
}

function Way({ term, query, onPress }: WayProps) {
  const { data } = useQuery({ ...countsQuery(query ?? {}), enabled: query !== undefined });
  const sum = query && data && sumOf(data);
  return (
    <Button onPress={onPress}>
      {sum ? m.events.withoutFinds(term, sum.total, sum.isEstimated) : m.items.without(term)}
    </Button>
  );
}
