import { toId } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { useTitle } from '../page/title.ts';
import { KeysOf } from './keys.tsx';
import { m } from './messages.ts';
import { Rights, UserMark } from './parts.tsx';
import { crowdOf, crowdQuery, may, rolesQuery, seesKeysOf, userQuery, whoAmI } from './queries.ts';
import { grantedBy, isSame, type User } from './rules.ts';
import { SessionsOf } from './sessions.tsx';
import { UserActions } from './user-actions.tsx';
import { LastSeen, RoleChips } from './users-page.tsx';
import css from './people.module.css';

export { loadUser as load } from './queries.ts';

/** One user: permissions and roles, sessions, keys, and actions. */
export function Page() {
  const { id } = useParams({ from: '/frame/users/$id' });
  const { data: user } = useSuspenseQuery(userQuery(toId(id)));
  const { data: roles } = useSuspenseQuery(rolesQuery());
  const { data: crowd } = useSuspenseQuery(crowdQuery());
  const [said, setSaid] = useState('');
  useTitle(user.username, m.users.title);
  return (
    <article>
      <header className={css.head}>
        <nav aria-label={m.common.breadcrumb}>
          <Link to="/users">{m.users.title}</Link> /
        </nav>
        <h1>
          <Text>{user.username}</Text>
        </h1>
        {isSame(user.id, whoAmI().id) && <span className={css.soft}>({m.users.you})</span>}
        <UserMark user={user} />
      </header>
      <div className={css.page}>
        <p role="status" className={css.said}>
          {said}
        </p>
        {user.deleted && <p className={css.trial}>{m.users.deletedText}</p>}
        <Facts user={user} />
        <h2>{m.people.permissionsOf}</h2>
        <Rights granted={grantedBy(user.roles, roles.list)} />
        {!user.deleted && (
          <>
            <h2>{m.users.actions}</h2>
            <UserActions user={user} roles={roles.list} crowd={crowdOf(crowd)} onSaid={setSaid} />
            <h2>{m.users.sessions}</h2>
            {may('manageUsers') ? (
              <SessionsOf userId={user.id} />
            ) : (
              <p className={css.soft}>{m.sessions.mayNot}</p>
            )}
            {seesKeysOf(user.id) && (
              <>
                <h2>{m.keys.title}</h2>
                <KeysOf userId={user.id} />
              </>
            )}
          </>
        )}
      </div>
    </article>
  );
}

function Facts({ user }: { readonly user: User }) {
  const { firstName, lastName, email, description, provider, roles, createdOn, updatedOn } = user;
  const texts = [
    [m.people.name, `${firstName} ${lastName}`.trim()],
    [m.users.email, email],
    [m.people.description, description],
    [m.users.state, provider === undefined ? '' : m.users.provider(provider)],
  ] as const;
  return (
    <dl className={css.facts}>
      <div>
        <dt>{m.people.roles}</dt>
        <dd>
          <RoleChips roles={roles} />
        </dd>
      </div>
      {texts.map(
        ([name, value]) =>
          value !== '' && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <Text>{value}</Text>
              </dd>
            </div>
          ),
      )}
      <div>
        <dt>{m.users.lastSeen}</dt>
        <dd>
          <LastSeen user={user} />
        </dd>
      </div>
      <div>
        <dt>{m.people.made}</dt>
        <dd>
          <Time on={createdOn} />
        </dd>
      </div>
      <div>
        <dt>{m.people.changed}</dt>
        <dd>
          <Time on={updatedOn} />
        </dd>
      </div>
    </dl>
  );
}
