import { toId } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { AskButton } from '../dialogs/ask.tsx';
import { Text } from '../page/text.tsx';
import { useTitle } from '../page/title.ts';
import { ChangeRole, DeleteRole } from './change-role.tsx';
import { m } from './messages.ts';
import { Rights, sentenceOf } from './parts.tsx';
import { crowdOf, crowdQuery, may, roleQuery, whoAmI } from './queries.ts';
import { beyond, isOfServer, isSame, opened, type Role } from './rules.ts';
import css from './people.module.css';

export { loadRole as load } from './queries.ts';

/** One role: its permissions and the operations they open, its users, and how to change it. */
export function Page() {
  const { id } = useParams({ from: '/frame/roles/$id' });
  const { data: role } = useSuspenseQuery(roleQuery(toId(id)));
  const [said, setSaid] = useState('');
  useTitle(role.name, m.roles.title);
  return (
    <article>
      <header className={css.head}>
        <nav aria-label={m.common.breadcrumb}>
          <Link to="/roles">{m.roles.title}</Link> /
        </nav>
        <h1>
          <Text>{role.name}</Text>
        </h1>
        {isOfServer(role) && <span className={css.soft}>{m.roles.ofServer}</span>}
      </header>
      <div className={css.page}>
        <p role="status" className={css.said}>
          {said}
        </p>
        <p className={css.soft}>
          <Text>{role.description}</Text>
        </p>
        <h2>{m.roles.grants}</h2>
        <Rights granted={role.permissions.map((permission) => ({ permission, roles: [] }))} />
        <Opens role={role} />
        <h2>{m.users.actions}</h2>
        <Actions role={role} onSaid={setSaid} />
        <h2>{m.roles.whoHas}</h2>
        <Holders role={role} />
      </div>
    </article>
  );
}

function Opens({ role }: { readonly role: Role }) {
  const groups = opened(role.permissions);
  const amount = groups.reduce((sum, [, ids]) => sum + ids.length, 0);
  return (
    <details className={css.opens}>
      <summary>{m.roles.opens(amount)}</summary>
      {groups.map(([permission, ids]) => (
        <section key={permission} aria-label={sentenceOf(permission)}>
          <p className={css.soft}>{sentenceOf(permission)}</p>
          {ids.map((id) => (
            <a key={id} href={`/docs#${id}`}>
              {id}
            </a>
          ))}
        </section>
      ))}
    </details>
  );
}

interface ActionsProps {
  readonly role: Role;
  readonly onSaid: (said: string) => void;
}

function Actions({ role, onSaid }: ActionsProps) {
  const obstacle = obstacleTo(role);
  if (obstacle !== undefined)
    return (
      <ul className={css.todo}>
        <li>
          <span className="buttons">
            <Button isDisabled>{m.people.edit}</Button>
            <Button isDisabled>{m.people.delete}</Button>
          </span>
          <p>{obstacle}</p>
        </li>
      </ul>
    );
  return (
    <div className="buttons">
      <AskButton label={m.people.edit} isWide>
        {(close) => <ChangeRole role={role} onClose={close} onSaid={onSaid} />}
      </AskButton>
      <AskButton label={m.people.delete} className="danger">
        {(close) => <DeleteRole role={role} onClose={close} />}
      </AskButton>
    </div>
  );
}

function obstacleTo(role: Role): string | undefined {
  if (!may('manageUsers')) return m.users.obstacles.mayNot;
  if (isOfServer(role)) return m.roles.ofServerText;
  const missing = beyond(whoAmI(), role.permissions);
  return missing.length > 0 ? m.roles.beyond(missing.map(sentenceOf).join('; ')) : undefined;
}

function Holders({ role }: { readonly role: Role }) {
  const { data } = useSuspenseQuery(crowdQuery());
  const { list, isWhole } = crowdOf(data);
  const holders = list.filter(({ roles }) => roles.some(({ id }) => isSame(id, role.id)));
  return (
    <>
      {!isWhole && <p className={css.soft}>{m.roles.ofFirst(list.length)}</p>}
      {holders.length === 0 && <p className={css.soft}>{m.roles.nobody}</p>}
      <span className={css.chips}>
        {holders.map(({ id, username }) => (
          <Link key={String(id)} to="/users/$id" params={{ id: String(id) }} className={css.chip}>
            <Text>{username}</Text>
          </Link>
        ))}
      </span>
    </>
  );
}
