import type { Schemas } from '@millrace/api';
import { useState, type Dispatch, type SetStateAction } from 'react';
import {
  Button,
  Dialog,
  Menu,
  MenuItem,
  MenuTrigger,
  Modal,
  ModalOverlay,
  Popover,
} from 'react-aria-components';
import { MayNot } from '../page/may-not.tsx';
import { BulkForm } from './bulk-form.tsx';
import type { Target } from './bulk-queries.ts';
import { bulkActions, type BulkAction } from './bulk-rules.ts';
import css from './item.module.css';
import { m } from './messages.ts';

interface Props {
  readonly queue: Schemas['Queue'];
  readonly target: Target;
  /** The label of its button; the number of items when left out. */
  readonly label?: string;
  /** The actions of the menu; all when left out. */
  readonly actions?: readonly BulkAction[];
  /** Those that the items allow as they are; all when left out. */
  readonly allowed?: readonly BulkAction[] | undefined;
  /** Opened from elsewhere, such as by a key. */
  readonly opened?: Opened | undefined;
  readonly onOpened?: Dispatch<SetStateAction<Opened>>;
  readonly onBegun?: () => void;
}

/** The open part: the menu, or the dialog of an action. */
export type Opened = 'menu' | BulkAction | undefined;

/** An action on many items: tried, confirmed, then done, with a report. */
export function BulkMenu(props: Props) {
  const { queue, target, label, actions = bulkActions, allowed = actions } = props;
  const { opened: wanted, onOpened, onBegun } = props;
  const [own, setOwn] = useState<Opened>();
  const mayRepair = queue.capabilities?.includes('repair') === true;
  const opened = mayRepair ? (wanted ?? own) : undefined;
  const open = onOpened ?? setOwn;
  const action = opened === 'menu' ? undefined : opened;
  const close = () => open(undefined);
  // The menu closes after its action has opened a dialog, which must stay.
  const turn = (isOpen: boolean) => open((now) => (isOpen ? 'menu' : now === 'menu' ? undefined : now));
  const amount = 'ids' in target ? m.bulk.chosen(target.ids.length) : m.bulk.all;
  const name = label ?? m.bulk.change(amount);
  return (
    <>
      <MenuTrigger isOpen={opened === 'menu'} onOpenChange={turn}>
        <Button className="quiet" isDisabled={!mayRepair}>
          {name} …
        </Button>
        <Popover className="popover" placement="bottom end">
          <Menu
            className="menu"
            aria-label={name}
            disabledKeys={actions.filter((one) => !allowed.includes(one))}
          >
            {actions.map((one) => (
              <MenuItem key={one} id={one} onAction={() => open(one)}>
                {m.bulk[one]}
              </MenuItem>
            ))}
          </Menu>
          {actions.some((one) => !allowed.includes(one)) && <p className={css.reason}>{m.bulk.notNow}</p>}
        </Popover>
      </MenuTrigger>
      {!mayRepair && <MayNot queue={queue}>{m.item.mayNot}</MayNot>}
      <ModalOverlay isOpen={action !== undefined} onOpenChange={close} className="overlay">
        <Modal className="modal">
          <Dialog className={css.dialog}>
            {action && (
              <BulkForm queue={queue} action={action} target={target} onBegun={onBegun} onClose={close} />
            )}
          </Dialog>
        </Modal>
      </ModalOverlay>
    </>
  );
}
