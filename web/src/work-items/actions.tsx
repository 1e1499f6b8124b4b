import type { Schemas } from '@millrace/api';
import { useState, type ReactNode } from 'react';
import { Button } from 'react-aria-components';
import { Ask, Over, Reason } from '../dialogs/ask.tsx';
import { changesBetween } from '../dialogs/changes.ts';
import { useKey } from '../page/keys.ts';
import { MayNot } from '../page/may-not.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { Changes } from './changes.tsx';
import { m } from './messages.ts';
import { act, actRequest, type Item, type Moved } from './queries.ts';
import { actionsFor, type Deed } from './rules.ts';
import { ItemStatus } from './status.tsx';
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
  const [asked, setAsked] = useState<{ readonly action: Deed; readonly item: Item }>();
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

const keys = { release: 'r', restart: 'r', cancel: 'c' };

interface ButtonProps {
  readonly action: Deed;
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
  readonly action: Deed;
  readonly item: Item;
  readonly onDone: () => void;
}

/** Where the item has moved on meanwhile, it says how it is now, and does the same to that where it still can be done. */
function Confirm({ action, item: first, onDone }: ConfirmProps) {
  const [reason, setReason] = useState('');
  const [moved, setMoved] = useState<Moved>();
  const item = moved?.item ?? first;
  const doIt = async () => {
    const refused = await act(action, item, reason.trim());
    if (!refused) return;
    setMoved(refused);
    throw new Error(refused.message);
  };
  return (
    <Ask
      title={m.item[action]}
      confirm={moved ? m.item.asItIsNow(m.item[action]) : m.item[action]}
      isReady={!moved || actionsFor(item).includes(action)}
      requests={[actRequest(action, item, reason.trim())]}
      act={doIt}
      onDone={onDone}
    >
      <p>{m.item.effects[action]}</p>
      <Reason label={m.item.reason} reason={reason} onChange={setReason} />
      {moved && <Since before={first} moved={moved} />}
    </Ask>
  );
}

/** The state of the item by now, who has brought it there, and what of its data differs from what one saw. */
function Since({ before, moved: { item, by } }: { readonly before: Item; readonly moved: Moved }) {
  const changes = changesBetween(before.json ?? {}, item.json ?? {});
  return (
    <>
      <p>
        {m.item.now} <ItemStatus item={item} />
        {by !== undefined && (
          <>
            , <Text>{m.item.changedBy(by)}</Text> <Time on={item.updatedOn} />
          </>
        )}
        {item.error && (
          <>
            : <Text>{item.error}</Text>
          </>
        )}
      </p>
      {changes.length > 0 && <Changes changes={changes} before={m.edit.youSaw} after={m.edit.now} />}
    </>
  );
}
