import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { Button, Input, SearchField } from 'react-aria-components';
import { Notice, Skeleton } from '../page/states.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { useTitle } from '../page/title.ts';
import { m } from './messages.ts';
import { NewUser } from './new-user.tsx';
import { UserMark } from './parts.tsx';
import { may, rolesQuery, usersQuery, whoAmI } from './queries.ts';
import { isSame, type User } from './rules.ts';
import css from './people.module.css';

export { loadUsers as load } from './queries.ts';

const step = 200;

/** The users of the tenant, to find by name. */
export function Page() {
  const { q = '' } = useSearch({ from: '/frame/users' });
  const navigate = useNavigate({ from: '/users' });
  const { data: roles } = useSuspenseQuery(rolesQuery());
  const [length, setLength] = useState(step);
  const { data } = useQuery({ ...usersQuery(q, length), throwOnError: true });
  useTitle(m.users.title);
  const search = (text: string) => void navigate({ search: text ? { q: text } : {}, replace: true });
  const left = data ? data.page.total - data.list.length : 0;
  return (
    <>
      <header className={css.head}>
        <h1>{m.users.title}</h1>
        {data && <span className={css.soft}>{m.users.total(data.page.total)}</span>}
        {may('manageUsers') ? (
          <NewUser roles={roles.list} />
        ) : (
          <span className={css.soft}>{m.people.lookOnly}</span>
        )}
        <SearchField aria-label={m.users.filter} value={q} onChange={search} className={css.search}>
          <Input placeholder={m.users.filter} />
        </SearchField>
      </header>
      {!data && <Skeleton />}
      {data?.list.length === 0 && (
        <Notice title={m.users.noMatch(q)}>
          <Button onPress={() => search('')}>{m.people.clear}</Button>
        </Notice>
      )}
      {data && data.list.length > 0 && (
        <div className={css.page}>
          <Table users={data.list} />
          {left > 0 && (
            <p className={css.soft}>
              {m.users.first(data.list.length)}{' '}
              <Button onPress={() => setLength(length + step)}>{m.people.more}</Button>
            </p>
          )}
        </div>
      )}
    </>
  );
}

function Table({ users }: { readonly users: readonly User[] }) {
  return (
    <table className={css.table}>
      <thead>
        <tr>
          <th scope="col">{m.users.username}</th>
          <th scope="col">{m.users.state}</th>
          <th scope="col">{m.people.roles}</th>
          <th scope="col">{m.users.email}</th>
          <th scope="col">{m.users.lastSeen}</th>
          <th scope="col">{m.people.changed}</th>
        </tr>
      </thead>
      <tbody>
        {users.map((user) => (
          <Row key={String(user.id)} user={user} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ user }: { readonly user: User }) {
  const { id, username, firstName, lastName, email, roles, provider, updatedOn } = user;
  const name = `${firstName} ${lastName}`.trim();
  return (
    <tr>
      <th scope="row">
        <Link to="/users/$id" params={{ id: String(id) }}>
          <Text>{username}</Text>
        </Link>{' '}
        {isSame(id, whoAmI().id) && `(${m.users.you})`}
        {name !== '' && (
          <small>
            <Text>{name}</Text>
          </small>
        )}
      </th>
      <td data-label={m.users.state}>
        <UserMark user={user} />
        {provider !== undefined && <small>{m.users.provider(provider)}</small>}
      </td>
      <td data-label={m.people.roles}>
        <RoleChips roles={roles} />
      </td>
      <td data-label={m.users.email}>{email !== '' && <Text>{email}</Text>}</td>
      <td data-label={m.users.lastSeen}>
        <LastSeen user={user} />
      </td>
      <td data-label={m.people.changed}>
        <Time on={updatedOn} />
      </td>
    </tr>
  );
}

/** When a user was last there, at most 20 minutes ago for whoever is. */
export function LastSeen({ user: { lastSeenOn } }: { readonly user: User }) {
  return lastSeenOn === undefined ? m.users.neverSeen : <Time on={lastSeenOn} />;
}

export function RoleChips({ roles }: Pick<User, 'roles'>) {
  if (roles.length === 0) return <span className={css.soft}>{m.people.noRoles}</span>;
  return (
    <span className={css.chips}>
      {roles.map(({ id, name = '' }) => (
        <Link key={String(id)} to="/roles/$id" params={{ id: String(id) }} className={css.chip}>
          <Text>{name}</Text>
        </Link>
      ))}
    </span>
  );
}
