import { Button } from 'react-aria-components';
import { Text } from '../page/text.tsx';
import { members, type Columns } from './export-rules.ts';
import css from './export.module.css';
import { m } from './messages.ts';

interface Props {
  readonly columns: Columns;
  /** The columns of the list on screen. */
  readonly listed: Columns;
  readonly attributes: readonly string[];
  readonly onChange: (columns: Columns) => void;
}

/** The choice of members and attributes of items for a file. */
export function ColumnChoice({ columns, listed, attributes, onChange }: Props) {
  const everything = { members: new Set<string>(members), attributes: new Set(attributes) };
  return (
    <>
      <div role="group" aria-label={m.export.columns} className={css.buttons}>
        <Button onPress={() => onChange(listed)}>{m.export.asListed}</Button>
        <Button onPress={() => onChange(everything)}>{m.export.all}</Button>
        <Button onPress={() => onChange({ ...everything, members: new Set() })}>{m.export.dataOnly}</Button>
      </div>
      <Names
        legend={m.export.attributes}
        names={attributes}
        chosen={columns.attributes}
        onChange={(chosen) => onChange({ ...columns, attributes: chosen })}
      />
      <Names
        legend={m.export.members}
        names={members}
        titles={m.export.titles}
        chosen={columns.members}
        onChange={(chosen) => onChange({ ...columns, members: chosen })}
      />
    </>
  );
}

interface NamesProps {
  readonly legend: string;
  readonly names: readonly string[];
  readonly chosen: ReadonlySet<string>;
  /** Titles that differ from the names. */
  readonly titles?: Readonly<Record<string, string>>;
  readonly onChange: (chosen: ReadonlySet<string>) => void;
}

function Names({ legend, names, chosen, titles = {}, onChange }: NamesProps) {
  const toggle = (name: string) => {
    const next = new Set(chosen);
    if (!next.delete(name)) next.add(name);
    onChange(next);
  };
  return (
    <fieldset className={css.names}>
      <legend>{legend}</legend>
      {names.map((name) => (
        <label key={name} className={css.check}>
          <input type="checkbox" checked={chosen.has(name)} onChange={() => toggle(name)} />
          <Text>{titles[name] ?? name}</Text>
        </label>
      ))}
    </fieldset>
  );
}
