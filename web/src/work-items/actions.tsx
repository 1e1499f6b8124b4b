import type { Schemas } from '@millrace/api';
import { useState, type ReactNode } from 'react';
import { Button } from 'react-aria-components';
import { Ask, Over, Reason } from '../dialogs/ask.tsx';
import { useKey } from '../page/keys.ts';
import { MayNot } from '../page/may-not.tsx';
import { m } from './messages.ts';
import { actRequest, type Item, type ItemAction } from './queries.ts';
import { actionsFor } from './rules.ts';
import css from './item.module.css';

interface ActionsProps {
  readonly item: Item;
  /** The queue that it is in, which says what the user may do. */
  readonly queue: Schemas['Queue'];
  /** The actions beside it. */
  readonly children?: ReactNode;
}

/** The actions on the item in its present state, each behind a dialog that says what it does and asks why. */
export function ItemActions({ item, queue, children }: ActionsProps) {
  // The dialog stays as it was asked for, even when the item moves on meanwhile.
  const [asked, setAsked] = useState<{ readonly action: ItemAction; readonly item: Item }>();
  const close = () => setAsked(undefined);
  const isAllowed = queue.capabilities?.includes('repair') === true;
  const actions = item.cancelRequestedOn === undefined ? actionsFor(item) : [];
  return (
    <>
      {item.cancelRequestedOn !== undefined && <p>{m.item.cancelled}</p>}
      <div role="group" aria-label={m.item.actions} className={css.actions}>
        {actions.map((action) => (
          <ActionButton key={action} {...{ action, isAllowed }} onAsk={() => setAsked({ action, item })} />
        ))}
        {children}
      </div>
      {!isAllowed && <MayNot queue={queue}>{m.item.mayNot}</MayNot>}
      <Over isOpen={asked !== undefined} onClose={close}>
        {asked && <Confirm {...asked} onDone={close} />}
      </Over>
    </>
  );
}

const keys = { release: 'r', restart: 'r', cancel: 'c', done: '1', notDone: '2', partly: '3' };

interface ButtonProps {
  readonly action: ItemAction;
  readonly isAllowed: boolean;
  readonly onAsk: () => void;
}

function ActionButton({ action, isAllowed, onAsk }: ButtonProps) {
  useKey(keys[action], () => isAllowed && onAsk(), isAllowed ? m.item[action] : undefined);
  return (
    <Button className={action === 'cancel' ? 'danger' : 'primary'} isDisabled={!isAllowed} onPress={onAsk}>
      {m.item[action]} <kbd aria-hidden="true">{keys[action]}</kbd>
    </Button>
  );
}

interface ConfirmProps {
  readonly action: ItemAction;
  readonly item: Item;
  readonly onDone: () => void;
}

function Confirm({ action, item, onDone }: ConfirmProps) {
  const [text, setText] = useState('');
  const isAnswer = item.failureKind === 'IN_DOUBT';
  return (
    <Ask title={m.item[action]} requests={[actRequest(action, item, text.trim())]} onDone={onDone}>
      <p>{m.item.effects[action]}</p>
      <Reason
        label={isAnswer ? m.item.note : m.item.reason}
        reason={text}
        onChange={setText}
        isRequired={action === 'partly'}
      />
    </Ask>
  );
}
