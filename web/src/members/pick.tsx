import { toId, type Id } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Field } from '../page/fields.tsx';
import { m } from './messages.ts';
import { roles, rolesQuery, usersQuery, type Role } from './queries.ts';
import css from './members.module.css';

interface PickUserProps {
  /** The ids of those who are there already. */
  readonly without: ReadonlySet<string>;
  readonly onPick: (userId: Id, name: string, role: Role) => void;
}

/** A user to add, by name; by id where one may not list users. */
export function PickUser({ without, onPick }: PickUserProps) {
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
    <div className={css.add}>
      <Field label={m.members.user} hint={isError ? m.members.userHelp : undefined}>
        {(id) =>
          isError ? (
            <input
              id={id}
              inputMode="numeric"
              value={chosen}
              onChange={({ target }) => setChosen(target.value)}
            />
          ) : (
            <select id={id} value={chosen} onChange={({ target }) => setChosen(target.value)}>
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
      <Field label={m.members.role}>
        {(id) => (
          <select id={id} value={role} onChange={({ target }) => setRole(target.value as Role)}>
            {roles.map((one) => (
              <option key={one} value={one}>
                {m.members.roles[one]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Button isDisabled={!isChosen} onPress={add}>
        {m.members.add}
      </Button>
    </div>
  );
}

interface PickRoleProps {
  readonly without: ReadonlySet<string>;
  readonly onPick: (roleId: Id, name: string) => void;
}

/** A role whose users are to work on the items. */
export function PickRole({ without, onPick }: PickRoleProps) {
  const { data } = useQuery(rolesQuery());
  const [chosen, setChosen] = useState('');
  const all = (data?.list ?? []).filter(({ id }) => !without.has(String(id)));
  const add = () => {
    onPick(toId(chosen), all.find(({ id }) => String(id) === chosen)?.name ?? chosen);
    setChosen('');
  };
  return (
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
  );
}
