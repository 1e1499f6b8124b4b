import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
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
import { logOut } from '../connection/client.ts';
import { Text } from '../page/text.tsx';
import { queuesQuery } from '../queues/queries.ts';
import { theme, themes } from '../theme/theme.ts';
import { foundQuery } from '../work-items/queries.ts';
import { ItemStatus } from '../work-items/status.tsx';
import { m } from './messages.ts';
import css from './shell.module.css';
import { usePlaces } from './use-places.ts';

interface Props {
  readonly onOpenChange: (isOpen: boolean) => void;
}

interface Choice {
  readonly key: string;
  readonly name: string;
  readonly kind?: ReactNode;
  readonly act: () => void;
}

// What the server has found stays, although what was typed may stand in a part that is not shown.
const foundKey = 'item ';

/** Go, act, find: by typing. */
export function Palette({ onOpenChange }: Props) {
  return (
    <ModalOverlay isOpen onOpenChange={onOpenChange} isDismissable className="overlay">
      <Modal className={`modal ${css.palette ?? ''}`}>
        <Dialog aria-label={m.shell.palette} className={css.paletteDialog}>
          <Choices onDone={() => onOpenChange(false)} />
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function Choices({ onDone }: { readonly onDone: () => void }) {
  const [typed, setTyped] = useState('');
  const known = useChoices();
  const { items, isLooking, said } = useFound(typed);
  const { contains } = useFilter({ sensitivity: 'base' });
  const fits = (name: string, text: string, { key }: { readonly key: unknown }) =>
    String(key).startsWith(foundKey) || contains(name, text);
  return (
    <Autocomplete inputValue={typed} onInputChange={setTyped} filter={fits}>
      <TextField aria-label={m.shell.palette} autoFocus>
        <Input placeholder={m.shell.palette} />
      </TextField>
      <div className={css.choices} role="region" aria-label={m.shell.choices} tabIndex={0}>
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

/** The items of all queues that have what was typed, and whether there may be more. */
function useFound(typed: string) {
  const navigate = useNavigate();
  const { data, error, isFetching } = useQuery(foundQuery(typed));
  const items = (data?.list ?? []).map((item): Choice => {
    const params = { id: String(item.queueId), workItemId: String(item.id) };
    return {
      key: `${foundKey}${params.id} ${params.workItemId}`,
      name: item.field === 'id' ? m.shell.item(params.workItemId) : item.value,
      kind: (
        <>
          <Text>{item.queueName}</Text> · <ItemStatus item={item} />
        </>
      ),
      act: () => void navigate({ to: '/queues/$id/workitems/$workItemId', params }),
    };
  });
  const said = [error?.message, data?.isCut && m.shell.isCut, data?.isPartial && m.shell.isPartial];
  return { items, isLooking: isFetching, said: said.filter(Boolean).join(' ') };
}

function useChoices(): Choice[] {
  const navigate = useNavigate();
  const places = usePlaces();
  const { data } = useQuery(queuesQuery());
  const queues = (data?.list ?? []).map((queue) => ({
    key: `queue ${String(queue.id)}`,
    name: queue.name ?? '',
    kind: m.shell.queues,
    act: () => void navigate({ to: '/queues/$id', params: { id: String(queue.id) } }),
  }));
  return [
    ...places.map(({ path, label }) => ({
      key: `page ${path}`,
      name: label,
      act: () => void navigate({ to: path }),
    })),
    ...queues,
    ...themes.map((one) => ({
      key: `theme ${one}`,
      name: m.shell.useTheme(m.shell.theme[one]),
      act: () => theme.set(one),
    })),
    { key: 'reference', name: m.shell.reference, act: () => location.assign('/docs') },
    { key: 'log out', name: m.common.logOut, act: () => void logOut() },
  ];
}
