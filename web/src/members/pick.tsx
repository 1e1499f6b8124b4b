import { toId, type Id } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import type { Request } from '../connection/request.ts';
import { AsScript } from '../dialogs/as-script.tsx';
import { Choice, Field } from '../page/fields.tsx';
import { m } from './messages.ts';
import { rolesQuery, usersQuery, type Role } from './queries.ts';
import css from './members.module.css';

interface PickUserProps {
  /** The ids of those who are members already. */
  readonly without: ReadonlySet<string>;
  readonly onPick: (userId: Id, name: string, role: Role) => void;
  /** The request that adds at once: shown as a command. */
  readonly requestOf?: (userId: Id, role: Role) => Request;
}

/** A user to add, by name; by id where the user may not list users. */
export function PickUser({ without, onPick, requestOf }: PickUserProps) {
  const { data, isError } = useQuery(usersQuery());
  const [chosen, setChosen] = useState('');
  const [role, setRole] = useState<Role>('MEMBER');
  const users = (data?.list ?? []).filter(({ id, disabled }) => !disabled && !without.has(String(id)));
  const isChosen = isError ? /^\d+$/.test(chosen) : chosen !== '';
  const add = () => {
    const user = users.find(({ id }) => String(id) === chosen);
    onPick(toId(chosen), user?.username ?? chosen, role);
    setChosen('');
  };
  return (
    <>
      <div className={css.add}>
        <WhichUser isById={isError} users={users} chosen={chosen} onChoose={setChosen} />
        <Choice
          label={m.members.role}
          value={role}
          choices={m.members.roles}
          onChange={(one) => setRole(one ?? 'MEMBER')}
        />
        <Button isDisabled={!isChosen} onPress={add}>
          {m.members.add}
        </Button>
      </div>
      {requestOf && isChosen && <AsScript requests={[requestOf(toId(chosen), role)]} />}
    </>
  );
}

interface WhichUserProps {
  readonly isById: boolean;
  readonly users: readonly { readonly id: Id; readonly username: string }[];
  readonly chosen: string;
  readonly onChoose: (id: string) => void;
}

function WhichUser({ isById, users, chosen, onChoose }: WhichUserProps) {
  return (
    <Field label={m.members.user} hint={isById ? m.members.userHelp : undefined}>
      {(id) =>
        isById ? (
          <input
            id={id}
            inputMode="numeric"
            value={chosen}
            onChange={({ target }) => onChoose(target.value)}
          />
        ) : (
          <select id={id} value={chosen} onChange={({ target }) => onChoose(target.value)}>
            <option value="">{m.members.choose}</option>
            {users.map((user) => (
              <option key={String(user.id)} value={String(user.id)}>
                {user.username}
              </option>
            ))}
          </select>
        )
      }
    </Field>
  );
}

interface PickRoleProps {
  readonly without: ReadonlySet<string>;
  readonly onPick: (roleId: Id, name: string) => void;
  /** The request that adds at once: shown as a command. */
  readonly requestOf?: (roleId: Id) => Request;
}

/** A role whose users are to work on the items. */
export function PickRole({ without, onPick, requestOf }: PickRoleProps) {
  const { data } = useQuery(rolesQuery());
  const [chosen, setChosen] = useState('');
  const all = (data?.list ?? []).filter(({ id }) => !without.has(String(id)));
  const add = () => {
    onPick(toId(chosen), all.find(({ id }) => String(id) === chosen)?.name ?? chosen);
    setChosen('');
  };
  return (
    <>
      <div className={css.add}>
        <Field label={m.members.consumer}>
          {(id) => (
            <select id={id} value={chosen} onChange={({ target }) => setChosen(target.value)}>
              <option value="">{m.members.choose}</option>
              {all.map((role) => (
                <option key={String(role.id)} value={String(role.id)}>
                  {role.name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Button isDisabled={chosen === ''} onPress={add}>
          {m.members.add}
        </Button>
      </div>
      {requestOf && chosen !== '' && <AsScript requests={[requestOf(toId(chosen))]} />}
    </>
  );
}
