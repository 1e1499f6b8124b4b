import { ArrowDown, ArrowUp, Columns3 } from 'lucide-react';
import { Button, Dialog, DialogTrigger, Popover } from 'react-aria-components';
import { Text } from '../page/text.tsx';
import type { ItemColumn } from './columns.tsx';
import { movedBy, toggled } from './list-columns-rules.ts';
import { m } from './messages.ts';
import css from './work-items.module.css';

interface Props {
  readonly all: readonly ItemColumn[];
  readonly shown: readonly ItemColumn[];
  readonly onColumns: (cols: string) => void;
}

/** The columns of the list: which are shown, and in which order. The id stays the first. */
export function ListColumns({ all, shown, onColumns }: Props) {
  const chosen = shown.map(({ id }) => id).filter((id) => id !== 'id');
  const others = all.filter(({ id }) => id !== 'id' && !chosen.includes(id));
  const change = (ids: readonly string[]) => onColumns(ids.join(','));
  return (
    <DialogTrigger>
      <Button className="quiet">
        <Columns3 size={14} aria-hidden="true" /> {m.items.columns}
      </Button>
      <Popover className="popover" placement="bottom end">
        <Dialog className={css.columns} aria-label={m.items.columns}>
          <ul>
            {[...shown.filter(({ id }) => id !== 'id'), ...others].map(({ id, title }) => (
              <li key={id}>
                <label>
                  <input
                    type="checkbox"
                    checked={chosen.includes(id)}
                    onChange={() => change(toggled(chosen, id))}
                  />
                  <Text>{title}</Text>
                </label>
                {chosen.includes(id) && <Order title={title} chosen={chosen} id={id} onChange={change} />}
              </li>
            ))}
          </ul>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

interface OrderProps {
  readonly id: string;
  readonly title: string;
  readonly chosen: readonly string[];
  readonly onChange: (ids: readonly string[]) => void;
}

function Order({ id, title, chosen, onChange }: OrderProps) {
  return (
    <>
      <Button
        className="icon"
        aria-label={m.items.before(title)}
        isDisabled={chosen[0] === id}
        onPress={() => onChange(movedBy(chosen, id, -1))}
      >
        <ArrowUp size={14} aria-hidden="true" />
      </Button>
      <Button
        className="icon"
        aria-label={m.items.behind(title)}
        isDisabled={chosen.at(-1) === id}
        onPress={() => onChange(movedBy(chosen, id, 1))}
      >
        <ArrowDown size={14} aria-hidden="true" />
      </Button>
    </>
  );
}
