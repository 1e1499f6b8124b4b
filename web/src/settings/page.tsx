import { useSuspenseQuery } from '@tanstack/react-query';
import { useTitle } from '../page/title.ts';
import { KeysOf } from '../people/keys.tsx';
import { Rights } from '../people/parts.tsx';
import { may } from '../people/queries.ts';
import { SessionsOf } from '../people/sessions.tsx';
import { Appearance } from './appearance.tsx';
import { Facts } from './facts.tsx';
import { m } from './messages.ts';
import { Password } from './password.tsx';
import { meQuery } from './queries.ts';
import { Server } from './server.tsx';
import css from './settings.module.css';

export { loadSettings as load } from './queries.ts';

/** The user's account, the look and the keys of the console, and the server. */
export function Page() {
  const { data: me } = useSuspenseQuery(meQuery());
  useTitle(m.settings.title);
  const { username, firstName, lastName, email, roles, permissions } = me;
  const facts = [
    [m.settings.username, username],
    [m.settings.name, `${firstName} ${lastName}`.trim()],
    [m.settings.email, email],
    [m.settings.roles, roles.map(({ name = '' }) => name).join(', ')],
  ] as const;
  return (
    <div className={`page ${css.page}`}>
      <h1>{m.settings.title}</h1>
      <div className={css.columns}>
        <section>
          <h2>{m.settings.account}</h2>
          <Facts facts={facts} />
          <details className={css.more}>
            <summary>{m.settings.may}</summary>
            <Rights granted={permissions.map(({ name }) => ({ permission: name, roles: [] }))} />
          </details>
          <h2>{m.settings.password}</h2>
          <Password me={me} />
        </section>
        <section>
          <Appearance />
        </section>
      </div>
      <h2>{m.settings.sessions}</h2>
      <SessionsOf userId={me.id} />
      {may('generateApiKey') && (
        <>
          <h2>{m.settings.keys}</h2>
          <KeysOf userId={me.id} />
        </>
      )}
      <h2>{m.settings.server}</h2>
      <Server />
    </div>
  );
}
