import { useState } from 'react';
import { Button } from 'react-aria-components';
import { allOf, partsOfLine, print, type Filter } from '../filters/parse.ts';
import { Choice } from '../page/fields.tsx';
import { ExportDialog } from './export-dialog.tsx';
import { m } from './messages.ts';
import type { EventQuery } from './rules.ts';
import css from './events.module.css';

interface Props {
  readonly q: string;
  readonly query: EventQuery | undefined;
  readonly onFilter: (q: string) => void;
}

/** The most wanted choices, each a part of the filter, and the actions on the result. */
export function Tools({ q, query, onFilter }: Props) {
  const [isExporting, setExporting] = useState(false);
  const parts = partsOfLine(q);
  const choose = (field: string, sign: ':' | '>', value: string | undefined) => {
    const others = parts.filter(
      (part) => !(part.is === 'compare' && part.field === field && part.sign !== '<'),
    );
    const chosen: Filter[] = value === undefined ? [] : [{ is: 'compare', field, sign, value }];
    onFilter(print(allOf([...others, ...chosen])));
  };
  return (
    <div className={css.tools}>
      <Choice
        label={m.events.who}
        value={chosenOf(parts, 'kind', m.events.kinds)}
        none={m.events.anybody}
        choices={m.events.kinds}
        onChange={(kind) => choose('kind', ':', kind)}
      />
      <Choice
        label={m.events.time}
        value={chosenOf(parts, 'at', m.events.times)}
        none={m.events.anyTime}
        choices={m.events.times}
        onChange={(time) => choose('at', '>', time)}
      />
      <Button onPress={() => setExporting(true)} isDisabled={query === undefined}>
        {m.events.export}
      </Button>
      {isExporting && query && <ExportDialog query={query} onClose={() => setExporting(false)} />}
    </div>
  );
}

function chosenOf<Value extends string>(
  parts: readonly Filter[],
  field: string,
  choices: Readonly<Record<Value, string>>,
): Value | '' {
  const values = parts.flatMap((part) => (part.is === 'compare' && part.field === field ? [part.value] : []));
  const found = Object.keys(choices).find((one) => values.includes(one));
  return (found ?? '') as Value | '';
}
