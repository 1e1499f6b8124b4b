import { ArrowUp, X } from 'lucide-react';
import { Button } from 'react-aria-components';
import { m } from './messages.ts';
import { movedUp, sensitivities, types, withNew, type Draft, type Sensitivity, type Type } from './rules.ts';
import css from './models.module.css';

interface Props {
  readonly drafts: readonly Draft[];
  readonly onChange: (drafts: readonly Draft[]) => void;
}

/** The attributes of a model while somebody changes them. */
export function AttributeEditor({ drafts, onChange }: Props) {
  const change = (index: number, some: Partial<Draft>) =>
    onChange(drafts.map((draft, place) => (place === index ? { ...draft, ...some } : draft)));
  return (
    <>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{m.models.attribute}</th>
            <th scope="col">{m.models.type}</th>
            <th scope="col">{m.models.required}</th>
            <th scope="col">{m.models.sensitive}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {drafts.map((draft, index) => (
            <tr key={draft.key}>
              <AttributeCells draft={draft} index={index} onChange={(some) => change(index, some)} />
              <td className={css.buttons}>
                <Button
                  className="icon"
                  aria-label={m.models.up(draft.name)}
                  isDisabled={index === 0}
                  onPress={() => onChange(movedUp(drafts, index))}
                >
                  <ArrowUp size={16} aria-hidden="true" />
                </Button>
                <Button
                  className="icon"
                  aria-label={m.models.remove(draft.name)}
                  onPress={() => onChange(drafts.toSpliced(index, 1))}
                >
                  <X size={16} aria-hidden="true" />
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Button className="quiet" onPress={() => onChange(withNew(drafts))}>
        {m.models.add}
      </Button>
    </>
  );
}

interface CellsProps {
  readonly draft: Draft;
  readonly index: number;
  readonly onChange: (some: Partial<Draft>) => void;
}

function AttributeCells({ draft, index, onChange }: CellsProps) {
  const { name, type, isRequired } = draft;
  return (
    <>
      <td>
        <input
          aria-label={m.models.nameOf(index + 1)}
          value={name}
          maxLength={255}
          onChange={({ target }) => onChange({ name: target.value })}
        />
      </td>
      <td>
        <select
          aria-label={m.models.typeOf(name)}
          value={type}
          onChange={({ target }) => onChange({ type: target.value as Type })}
        >
          {types.map((one) => (
            <option key={one} value={one}>
              {m.models.types[one]}
            </option>
          ))}
        </select>
      </td>
      <td>
        <input
          type="checkbox"
          className={css.box}
          aria-label={m.models.isRequired(name)}
          checked={isRequired}
          onChange={({ target }) => onChange({ isRequired: target.checked })}
        />
      </td>
      <td>
        <SensitivityChoice draft={draft} onChange={onChange} />
      </td>
    </>
  );
}

function SensitivityChoice({ draft: { name, sensitivity = 'NONE' }, onChange }: Omit<CellsProps, 'index'>) {
  return (
    <select
      aria-label={m.models.sensitivityOf(name)}
      value={sensitivity}
      onChange={({ target }) => onChange({ sensitivity: target.value as Sensitivity })}
    >
      {sensitivities.map((one) => (
        <option key={one} value={one}>
          {m.models.sensitivities[one]}
        </option>
      ))}
    </select>
  );
}
