import { useState, type ReactNode } from 'react';
import { Button, Input, Label, TextField } from 'react-aria-components';
import type { Cells } from './cells.ts';
import { m } from './messages.ts';
import { replaced, type Attribute, type Row } from './rules.ts';
import css from './repair.module.css';

interface Props {
  readonly rows: readonly Row[];
  readonly attributes: readonly Attribute[];
  readonly cells: Cells;
  readonly children: ReactNode;
}

/** The actions on many cells at once. */
export function Tools({ rows, attributes, cells, children }: Props) {
  const { editing, fillDown } = cells;
  const [find, setFind] = useState('');
  const [by, setBy] = useState('');
  const found = replaced(editing.edits, rows, attributes, [find, by]);
  return (
    <>
      <div className={css.tools}>
        <TextField value={find} onChange={setFind}>
          <Label>{m.repair.find}</Label>
          <Input />
        </TextField>
        <TextField value={by} onChange={setBy}>
          <Label>{m.repair.replaceBy}</Label>
          <Input />
        </TextField>
        <Button isDisabled={found.length === 0} onPress={() => editing.put(found)}>
          {m.repair.replace(found.length)}
        </Button>
        <Button onPress={fillDown}>{m.repair.fillDown}</Button>
        <Button isDisabled={!editing.canUndo} onPress={editing.undo}>
          {m.repair.undo}
        </Button>
        <span className={css.gap} />
        {children}
      </div>
      <p className={css.help}>{m.repair.help}</p>
    </>
  );
}
