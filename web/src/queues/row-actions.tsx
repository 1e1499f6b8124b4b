import type { Schemas } from '@millrace/api';
import { useNavigate } from '@tanstack/react-router';
import { Ellipsis } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import { Button, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { Over } from '../dialogs/ask.tsx';
import { MayNot } from '../page/may-not.tsx';
import { Archive } from './archive.tsx';
import { actionsOn, mayDo, type RowAction } from './list-rules.ts';
import { m } from './messages.ts';
import { Pause, Resume } from './pause.tsx';
import css from './queues.module.css';

/** The action that a dialog asks about. */
export interface Asked {
  readonly queue: Schemas['Queue'];
  readonly action: RowAction;
}

export interface ActionsProps {
  readonly queue: Schemas['Queue'];
  readonly isOpen: boolean;
  readonly onOpenChange: (isOpen: boolean) => void;
  readonly onAsk: (asked: Asked) => void;
}

/** The actions on a queue from its row, as a menu; those that one may not take are disabled, and say who may. */
export function RowActions({ queue, isOpen, onOpenChange, onAsk }: ActionsProps) {
  const navigate = useNavigate();
  const button = useRef<HTMLButtonElement>(null);
  const reasons = useId();
  const { id, name = '' } = queue;
  const actions = actionsOn(queue);
  const refused = [
    ...new Set(actions.filter((one) => !mayDo(one, queue)).map((one) => m.queues.mayNot[one])),
  ];
  const ask = (action: RowAction) => {
    button.current?.focus();
    onAsk({ queue, action });
  };
  const act = (action: RowAction) =>
    action === 'upload'
      ? void navigate({ to: '/queues/$id/upload', params: { id: String(id) } })
      : // Deferred until the menu has closed: only then does the dialog return the focus to the row.
        void setTimeout(() => ask(action));
  return (
    <MenuTrigger isOpen={isOpen} onOpenChange={onOpenChange}>
      <Button ref={button} className="icon" aria-label={m.queues.actionsOf(name)}>
        <Ellipsis size={14} aria-hidden="true" />
      </Button>
      <Popover className="popover" placement="bottom start">
        <Menu
          className="menu"
          aria-label={m.queues.actionsOf(name)}
          {...(refused.length > 0 && { 'aria-describedby': reasons })}
          autoFocus="first"
        >
          {actions.map((one) => (
            <MenuItem key={one} isDisabled={!mayDo(one, queue)} onAction={() => act(one)}>
              {m.queues.actions[one]}
            </MenuItem>
          ))}
        </Menu>
        {refused.length > 0 && (
          <div id={reasons} className={css.reason}>
            <MayNot queue={queue}>{refused.join(' ')}</MayNot>
          </div>
        )}
      </Popover>
    </MenuTrigger>
  );
}

/**
 * Keeps the focus in the list when a queue leaves it that one has archived or restored: it goes to the row in its place, to the one before
 * it, or to the filter. @returns what is told of each action that is asked for
 */
export function useFocusKept(queues: readonly Schemas['Queue'][]): (asked: Asked) => void {
  const [leaving, setLeaving] = useState<{ readonly id: Schemas['Queue']['id']; readonly at: number }>();
  const isGone = leaving !== undefined && !queues.some(({ id }) => id === leaving.id);
  useEffect(() => {
    if (!isGone || document.activeElement !== document.body) return;
    const rows = document.querySelectorAll<HTMLElement>('main [data-row]');
    const next = rows[Math.min(leaving.at, rows.length - 1)]?.querySelector<HTMLElement>('a');
    (next ?? document.querySelector<HTMLElement>('main input'))?.focus();
  }, [isGone, leaving]);
  return ({ queue: { id } }) => setLeaving({ id, at: queues.findIndex((one) => one.id === id) });
}

interface DialogProps {
  readonly asked: Asked | undefined;
  readonly onDone: () => void;
}

/** The dialog of an action: it stays as it was asked for, even when somebody else is faster. */
export function RowDialog({ asked, onDone }: DialogProps) {
  return (
    <Over isOpen={asked !== undefined} onClose={onDone}>
      {asked?.action === 'pause' && <Pause queue={asked.queue} onDone={onDone} />}
      {asked?.action === 'resume' && <Resume queue={asked.queue} onDone={onDone} />}
      {(asked?.action === 'archive' || asked?.action === 'restore') && (
        <Archive queue={asked.queue} onDone={onDone} />
      )}
    </Over>
  );
}
