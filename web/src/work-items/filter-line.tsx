import { X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Button } from 'react-aria-components';
import type { Fields } from '../filters/compile.ts';
import { allOf, partsOfLine, print } from '../filters/parse.ts';
import { useKey } from '../page/keys.ts';
import { m } from './messages.ts';
import { SuggestedInput } from './suggested-input.tsx';
import css from './work-items.module.css';

interface Props {
  readonly q: string;
  /** The fields to filter by. */
  readonly fields: Fields;
  readonly problem: string | undefined;
  /** An example, shown in the empty line. */
  readonly example?: string;
  readonly onChange: (q: string) => void;
}

/** The filter twice: as a line to type, and as pills to remove. */
export function FilterLine({ q, fields, problem, example, onChange }: Props) {
  const [line, setLine] = useState(q);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => setLine(q), [q]);
  useKey('/', () => input.current?.focus());
  return (
    <div className={css.filter}>
      <form
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          onChange(line.trim());
        }}
      >
        <SuggestedInput
          ref={input}
          line={line}
          fields={fields}
          example={example ?? m.items.filterHelp}
          isWrong={problem !== undefined}
          onChange={setLine}
          onEscape={() => setLine(q)}
        />
      </form>
      <Pills q={q} onChange={onChange} />
      <p id="filter-problem" role="alert" className="problem">
        {problem}
      </p>
    </div>
  );
}

function Pills({ q, onChange }: Pick<Props, 'q' | 'onChange'>) {
  const parts = partsOfLine(q);
  if (parts.length === 0) return undefined;
  return (
    <div className={css.pills}>
      {parts.map((part, index) => (
        <span key={index} className={css.pill}>
          {print(part)}
          <Button
            className="icon"
            aria-label={m.filters.remove(print(part))}
            onPress={() => onChange(print(allOf(parts.filter((other) => other !== part))))}
          >
            <X size={13} aria-hidden="true" />
          </Button>
        </span>
      ))}
      <Button className="quiet" onPress={() => onChange('')}>
        {m.items.clear}
      </Button>
    </div>
  );
}
