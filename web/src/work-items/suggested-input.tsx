import { useId, useState, type KeyboardEvent, type Ref } from 'react';
import type { Fields } from '../filters/compile.ts';
import { suggestionsFor, type Suggestion } from '../filters/suggest.ts';
import { m } from './messages.ts';
import css from './work-items.module.css';

interface Props {
  readonly ref: Ref<HTMLInputElement>;
  readonly line: string;
  readonly fields: Fields;
  readonly example: string;
  readonly isWrong: boolean;
  readonly onChange: (line: string) => void;
  /** Called when the typed text is given up. */
  readonly onEscape: () => void;
}

/** The line of a filter, with suggested fields and values below it. */
export function SuggestedInput({ ref, line, fields, example, isWrong, onChange, onEscape }: Props) {
  const list = useId();
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const offers = isOpen ? suggestionsFor(line, fields) : [];
  const change = (next: string) => {
    setChosen(-1);
    setOpen(true);
    onChange(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const offer = offers[chosen];
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      setOpen(true);
      setChosen((chosen + (event.key === 'ArrowDown' ? 1 : offers.length)) % Math.max(offers.length, 1));
    } else if ((event.key === 'Enter' || event.key === 'Tab') && offer) change(offer.line);
    else if (event.key === 'Escape' && offers.length > 0) setOpen(false);
    else {
      if (event.key === 'Escape') onEscape();
      if (event.key === 'Enter') setOpen(false);
      return;
    }
    event.preventDefault();
  };
  return (
    <>
      <input
        ref={ref}
        value={line}
        role="combobox"
        aria-label={m.items.filter}
        aria-expanded={offers.length > 0}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={offers[chosen] && `${list}-${chosen}`}
        aria-invalid={isWrong}
        aria-describedby="filter-problem"
        placeholder={example}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => change(event.target.value)}
        onKeyDown={onKeyDown}
        onBlur={() => setOpen(false)}
      />
      <Offers id={list} offers={offers} chosen={chosen} onTake={change} />
    </>
  );
}

interface OffersProps {
  readonly id: string;
  readonly offers: readonly Suggestion[];
  readonly chosen: number;
  readonly onTake: (line: string) => void;
}

function Offers({ id, offers, chosen, onTake }: OffersProps) {
  return (
    <ul
      id={id}
      role="listbox"
      aria-label={m.items.suggestions}
      className={css.offers}
      hidden={offers.length === 0}
    >
      {offers.map(({ text, line }, index) => (
        <li
          key={text}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === chosen}
          // Comes before the line loses the focus.
          onPointerDown={(event) => {
            event.preventDefault();
            onTake(line);
          }}
        >
          {text}
        </li>
      ))}
    </ul>
  );
}
