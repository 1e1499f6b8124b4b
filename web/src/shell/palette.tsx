import { useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useRef, useState, type KeyboardEvent } from 'react';
import {
  Autocomplete,
  Dialog,
  Input,
  Menu,
  MenuItem,
  Modal,
  ModalOverlay,
  TextField,
  useFilter,
} from 'react-aria-components';
import { pageActions } from '../page/actions.ts';
import { Text } from '../page/text.tsx';
import { queuesQuery } from '../queues/queries.ts';
import { useStore } from '../store/store.ts';
import { foundQuery } from '../work-items/queries.ts';
import { ItemStatus } from '../work-items/status.tsx';
import { useCommands, type Choice } from './commands.ts';
import { m } from './messages.ts';
import { recent } from './recent.ts';
import { addressIn, itemAt } from './rules.ts';
import css from './shell.module.css';
import { usePlaces } from './use-places.ts';

interface Props {
  readonly onOpenChange: (isOpen: boolean) => void;
  /** Shows all keys. */
  readonly onHelp: () => void;
}

// Choices that the server has found stay, although the typed text may be in a part that is not shown.
const foundKey = 'item ';

/** Go, act, find: by typing. */
export function Palette({ onOpenChange, onHelp }: Props) {
  return (
    <ModalOverlay isOpen onOpenChange={onOpenChange} isDismissable className="overlay">
      <Modal className={`modal ${css.palette ?? ''}`}>
        <Dialog aria-label={m.shell.palette} className={css.paletteDialog}>
          <Choices onDone={() => onOpenChange(false)} onHelp={onHelp} />
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

interface ChoicesProps extends Pick<Props, 'onHelp'> {
  readonly onDone: () => void;
}

function Choices({ onDone, onHelp }: ChoicesProps) {
  const [typed, setTyped] = useState('');
  const list = useRef<HTMLDivElement>(null);
  const address = addressIn(typed, location.origin);
  const known = [...useAddress(address), ...useChoices(onHelp)];
  const { items, isLooking, said } = useFound(address === undefined ? typed : '');
  const { contains } = useFilter({ sensitivity: 'base' });
  const fits = (name: string, text: string, { key }: { readonly key: unknown }) =>
    String(key).startsWith(foundKey) || contains(name, text);
  return (
    <Autocomplete inputValue={typed} onInputChange={setTyped} filter={fits}>
      <TextField aria-label={m.shell.palette} autoFocus>
        <Input placeholder={m.shell.palette} onKeyDown={(event) => takeFirst(event, list.current)} />
      </TextField>
      <div ref={list} className={css.choices} role="region" aria-label={m.shell.choices} tabIndex={0}>
        <Menu
          aria-label={m.shell.palette}
          className="menu"
          items={[...known, ...items]}
          renderEmptyState={() => <p>{isLooking ? m.shell.looking : m.shell.noMatch}</p>}
          onClose={onDone}
        >
          {(choice) => (
            <MenuItem id={choice.key} textValue={choice.name} onAction={choice.act}>
              <span className={css.choice}>
                <Text>{choice.name}</Text>
              </span>
              {choice.kind && <small>{choice.kind}</small>}
            </MenuItem>
          )}
        </Menu>
      </div>
      <p role="status" className={css.said}>
        {said}
      </p>
    </Autocomplete>
  );
}

/** Enter takes the first choice where none is marked, as after a paste. */
function takeFirst({ key, currentTarget }: KeyboardEvent, list: HTMLElement | null): void {
  if (key !== 'Enter' || currentTarget.getAttribute('aria-activedescendant')) return;
  list?.querySelector<HTMLElement>('[role=menuitem]')?.click();
}

/** Goes to an address of the console. */
function useGo() {
  const { history } = useRouter();
  return (address: string) => history.push(address);
}

/** A pasted address leads to its page. */
function useAddress(address: string | undefined): Choice[] {
  const go = useGo();
  const { data } = useQuery(queuesQuery());
  if (address === undefined) return [];
  const item = itemAt(address);
  const queue = data?.list.find(({ id }) => String(id) === item?.queueId);
  const name = item ? m.shell.item(item.id) : m.shell.address;
  return [{ key: `${foundKey}${address}`, name, kind: queue?.name ?? address, act: () => go(address) }];
}

/** The items of all queues that contain the typed text, and whether there may be more. */
function useFound(typed: string) {
  const go = useGo();
  const { data, error, isFetching } = useQuery(foundQuery(typed));
  const items = (data?.list ?? []).map((item): Choice => {
    const id = String(item.id);
    return {
      key: `${foundKey}${item.queueId} ${id}`,
      name: item.field === 'id' ? m.shell.item(id) : item.value,
      kind: (
        <>
          <Text>{item.queueName}</Text> · <ItemStatus item={item} />
        </>
      ),
      act: () => go(`/console/queues/${item.queueId}/workitems/${id}`),
    };
  });
  const said = [error?.message, data?.isCut && m.shell.isCut, data?.isPartial && m.shell.isPartial];
  return { items, isLooking: isFetching, said: said.filter(Boolean).join(' ') };
}

/** The recent pages, the actions of this page, the other pages, and the actions of every page. */
function useChoices(onHelp: () => void): Choice[] {
  const go = useGo();
  const visits = useVisits();
  const here = useStore(pageActions).map(({ name, key, act }, index) => ({
    key: `here ${index}`,
    name,
    kind: key === undefined ? m.shell.onPage : <kbd>{key}</kbd>,
    // Deferred until the palette has closed: only then does the thing it opens keep the focus.
    act: () => void setTimeout(act),
  }));
  const { data } = useQuery(queuesQuery());
  const queues = (data?.list ?? []).map(({ id, name = '' }) => {
    const path = `/console/queues/${String(id)}`;
    return { key: path, name, kind: m.shell.queues, act: () => go(path) };
  });
  const pages = usePlaces().map(({ path = '/', label }) => {
    const address = `/console${path}`;
    return { key: address, name: label, act: () => go(address) };
  });
  const known = new Set(visits.map(({ key }) => key));
  const others = [...pages, ...queues].filter(({ key }) => !known.has(key));
  return [...visits, ...here, ...others, ...useCommands(onHelp)];
}

/** The pages opened before, the newest first, without the open one. */
function useVisits(): Choice[] {
  const go = useGo();
  return useStore(recent)
    .filter(({ path }) => path !== location.pathname)
    .map(({ path, title }) => ({ key: path, name: title, kind: m.shell.recent, act: () => go(path) }));
}
