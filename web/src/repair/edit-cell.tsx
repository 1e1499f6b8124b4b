import type { ClipboardEvent, KeyboardEvent } from 'react';
import { isMask, maskText } from '../json/masks.ts';
import { cellElement, type Cells } from './cells.ts';
import { typedOf } from '../work-items/values.ts';
import { m } from './messages.ts';
import { cellText, problemOf, type Attribute, type Row } from './rules.ts';
import css from './repair.module.css';

interface Props {
  readonly row: Row;
  readonly attribute: Attribute;
  readonly column: number;
  readonly cells: Cells;
}

/** The value of an attribute, edited in place. */
export function EditCell({ row, attribute, column, cells }: Props) {
  const { name, type } = attribute;
  const { editing, onFocus, onPaste } = cells;
  const text = cellText(editing.edits, row, name);
  const was = typedOf(row.json[name]);
  const isChanged = editing.edits.get(row.id)?.[name] !== undefined;
  const problem = isChanged ? problemOf(text, attribute) : undefined;
  const said = [problem && `${name} ${m.repair.problems[problem]}`, isChanged && m.repair.was(was)];
  const shared = {
    id: cellElement(row.id, column),
    className: css.cell,
    value: text,
    placeholder: isMask(row.json[name]) ? maskText : undefined,
    title: said.filter(Boolean).join('. ') || undefined,
    'aria-label': m.repair.cell(name, row.id),
    'aria-invalid': problem !== undefined,
    'data-changed': isChanged,
    onFocus: () => onFocus(row, name),
    onKeyDown: (event: KeyboardEvent) => onKey(event, row, name, cells),
    onChange: (event: { readonly target: { readonly value: string } }) =>
      editing.put([{ row, name, text: event.target.value }]),
  };
  const paste = (event: ClipboardEvent) => {
    const block = event.clipboardData.getData('text/plain');
    if (!/[\t\n]/.test(block)) return;
    event.preventDefault();
    onPaste(row, name, block);
  };
  if (type === 'BOOLEAN') return <Choice {...shared} />;
  return <input {...shared} inputMode={type === 'NUMBER' ? 'decimal' : undefined} onPaste={paste} />;
}

function Choice(props: React.ComponentProps<'select'>) {
  const known = ['', 'true', 'false'];
  const options = known.includes(String(props.value)) ? known : [...known, String(props.value)];
  return (
    <select {...props}>
      {options.map((value) => (
        <option key={value} value={value}>
          {value}
        </option>
      ))}
    </select>
  );
}

function onKey(event: KeyboardEvent, row: Row, name: string, cells: Cells): void {
  const isCommand = event.ctrlKey || event.metaKey;
  const commands: Record<string, () => void> = { z: cells.editing.undo, d: cells.fillDown };
  const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, Enter: 1 };
  const step = isCommand || event.altKey ? undefined : steps[event.key];
  const command = isCommand ? commands[event.key] : undefined;
  if (step === undefined && !command) return;
  event.preventDefault();
  command?.();
  if (step !== undefined) cells.onMove(row, name, step);
}
