import type { Id } from '@millrace/api';
import { useState } from 'react';
import { Input, Label, TextField } from 'react-aria-components';
import { Ask } from '../dialogs/ask.tsx';
import { useEdited } from '../dialogs/edited.ts';
import { Others, type Words } from '../dialogs/meanwhile.tsx';
import { carryOut } from '../dialogs/queries.ts';
import { Text } from '../page/text.tsx';
import { m } from './messages.ts';
import { changeOf, creation, removalOf, viewRequest, type View } from './queries.ts';
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

const how = {
  draftOf: ({ name, shared }: View) => ({ name, shared }),
  now: viewRequest,
};

const words: Words = {
  nameOf: (member) => ({ name: m.views.name, shared: m.views.isShared })[member] ?? member,
};

/** Renames a view, and shares it or not. Only its author can make it private again; what others change meanwhile is met on saving. */
export function RenameForm({ view: latest, onDone }: ViewProps) {
  const edited = useEdited(latest, how);
  const { base: view, draft, change } = edited;
  const { name, shared } = draft;
  if (edited.others)
    return <Others title={m.views.renameTitle} edited={edited} words={words} onCancel={onDone} />;
  const request = changeOf(view, { name: name.trim(), shared });
  return (
    <Ask
      title={m.views.renameTitle}
      confirm={m.views.keep}
      requests={[request]}
      act={() => edited.save(() => carryOut([request]))}
      isReady={name.trim() !== ''}
      onDone={onDone}
    >
      <NameFields
        name={name}
        shared={shared}
        onName={(next) => change({ name: next })}
        onShared={view.own ? (next) => change({ shared: next }) : undefined}
      />
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
