import type { Id } from '@millrace/api';
import { useState } from 'react';
import { Input, Label, TextField } from 'react-aria-components';
import { Ask } from '../dialogs/ask.tsx';
import { carryOut } from '../dialogs/queries.ts';
import { Text } from '../page/text.tsx';
import { m } from './messages.ts';
import { changeOf, creation, removalOf, type View } from './queries.ts';
import type { Shown } from './rules.ts';
import css from './views.module.css';

interface SaveProps {
  readonly queueId: Id;
  readonly shown: Shown;
  readonly onSaved: (view: View) => void;
  readonly onDone: () => void;
}

/** Saves what is shown, under a name. */
export function SaveForm({ queueId, shown, onSaved, onDone }: SaveProps) {
  const [name, setName] = useState('');
  const [shared, setShared] = useState(false);
  const requests = [creation(queueId, name.trim(), shared, shown)];
  const save = async () => {
    const [view] = await carryOut(requests);
    onSaved(view as View);
  };
  return (
    <Ask
      title={m.views.saveTitle}
      confirm={m.views.keep}
      requests={requests}
      act={save}
      isReady={name.trim() !== ''}
      onDone={onDone}
    >
      <NameFields name={name} shared={shared} onName={setName} onShared={setShared} />
    </Ask>
  );
}

interface ViewProps {
  readonly view: View;
  readonly onDone: () => void;
}

/** Renames a view, and shares it or not. Only its author can make it private again. */
export function RenameForm({ view, onDone }: ViewProps) {
  const [name, setName] = useState(view.name);
  const [shared, setShared] = useState(view.shared);
  return (
    <Ask
      title={m.views.renameTitle}
      confirm={m.views.keep}
      requests={[changeOf(view, { name: name.trim(), shared })]}
      isReady={name.trim() !== ''}
      onDone={onDone}
    >
      <NameFields name={name} shared={shared} onName={setName} onShared={view.own ? setShared : undefined} />
    </Ask>
  );
}

interface RemoveProps extends ViewProps {
  readonly onCancel: () => void;
}

export function RemoveForm({ view, onDone, onCancel }: RemoveProps) {
  const title = m.views.removeTitle;
  return (
    <Ask
      title={title}
      confirm={m.views.removeIt}
      isDanger
      requests={[removalOf(view)]}
      onDone={onDone}
      onCancel={onCancel}
    >
      <p>
        <Text>{m.views.removeText(view.name, view.shared)}</Text>
      </p>
    </Ask>
  );
}

interface NameProps {
  readonly name: string;
  readonly shared: boolean;
  readonly onName: (name: string) => void;
  readonly onShared: ((shared: boolean) => void) | undefined;
}

function NameFields({ name, shared, onName, onShared }: NameProps) {
  return (
    <>
      <TextField value={name} onChange={onName} isRequired autoFocus maxLength={100} className={css.field}>
        <Label>{m.views.name}</Label>
        <Input autoComplete="off" />
      </TextField>
      {onShared && (
        <label className="check">
          <input type="checkbox" checked={shared} onChange={({ target }) => onShared(target.checked)} />
          {m.views.share}
        </label>
      )}
    </>
  );
}
