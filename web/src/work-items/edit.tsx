import { useState } from 'react';
import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { AsScript } from '../dialogs/as-script.tsx';
import { applied, changesBetween, clashing, type Data } from '../dialogs/changes.ts';
import { Meanwhile } from '../dialogs/meanwhile.tsx';
import { useKey } from '../page/keys.ts';
import { Changes } from './changes.tsx';
import { EditForm } from './edit-form.tsx';
import { mayEdit } from './edit-rules.ts';
import css from './item.module.css';
import { m } from './messages.ts';
import { saveData, saveRequest, type Item } from './queries.ts';
import type { AttributeType } from './values.ts';

interface Props {
  readonly item: Item;
  readonly types: Readonly<Record<string, AttributeType | undefined>>;
}

/** Corrects the data of an item; `e` opens it too. */
export function EditButton({ item, types }: Props) {
  const [isOpen, setOpen] = useState(false);
  const isPossible = mayEdit(item);
  useKey('e', () => isPossible && setOpen(true), isPossible ? m.edit.edit : undefined);
  return (
    <>
      {isPossible && (
        <Button onPress={() => setOpen(true)}>
          {m.edit.edit} <kbd aria-hidden="true">e</kbd>
        </Button>
      )}
      {/* Typed text stays, even when the item moves on meanwhile. */}
      <ModalOverlay isOpen={isOpen} onOpenChange={setOpen} className="overlay">
        <Modal className={`modal ${css.wide ?? ''}`}>
          <Dialog className={css.dialog}>
            <Heading slot="title">{m.edit.title(String(item.id))}</Heading>
            <Edit item={item} types={types} onDone={() => setOpen(false)} />
          </Dialog>
        </Modal>
      </ModalOverlay>
    </>
  );
}

interface EditProps extends Props {
  readonly onDone: () => void;
}

/** First the fields, then their changes; and the changes of others when the item has moved on meanwhile. */
function Edit({ item: first, types, onDone }: EditProps) {
  // The item is edited as it was seen, even when it changes behind the dialog.
  const [base, setBase] = useState(first);
  const [mine, setMine] = useState<Data>();
  const [theirs, setTheirs] = useState<Item>();
  const [problem, setProblem] = useState('');
  if (!mine) return <EditForm data={dataOf(base)} types={types} onDone={setMine} onCancel={onDone} />;
  const changes = changesBetween(dataOf(base), mine);
  if (theirs) {
    const others = changesBetween(dataOf(base), dataOf(theirs));
    return (
      <Meanwhile
        clashes={clashing(changes, others)}
        onApply={() => {
          setMine(applied(changes, dataOf(theirs)));
          setBase(theirs);
          setTheirs(undefined);
        }}
        onCancel={onDone}
      >
        {others.length > 0 && <Changes changes={others} before={m.edit.youSaw} after={m.edit.now} />}
      </Meanwhile>
    );
  }
  const save = async () => {
    const newer = await saveData(base, mine).catch((error: Error) => {
      setProblem(error.message);
      return 'refused' as const;
    });
    if (newer === undefined) onDone();
    else if (newer !== 'refused') setTheirs(newer);
  };
  return (
    <>
      <p>{m.edit.basedOn(String(base.version))}</p>
      <Changes changes={changes} before={m.edit.before} after={m.edit.after} />
      <p role="alert" className="problem">
        {problem}
      </p>
      <div className={css.actions}>
        <Button className="primary" onPress={() => void save()} isDisabled={changes.length === 0} autoFocus>
          {m.edit.save}
        </Button>
        <Button onPress={() => setMine(undefined)}>{m.edit.back}</Button>
        <Button onPress={onDone}>{m.common.cancel}</Button>
      </div>
      <AsScript requests={[saveRequest(base, mine)]} />
    </>
  );
}

function dataOf(item: Item): Data {
  return item.json ?? {};
}
