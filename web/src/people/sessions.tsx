import type { Id, Schemas } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Ask, AskButton } from '../dialogs/ask.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { m } from './messages.ts';
import { endSessionRequest, sessionsQuery } from './queries.ts';
import css from './people.module.css';

type Session = Schemas['UserSession'];

/** The sessions of a user: where, and by which program; each can be ended. */
export function SessionsOf({ userId }: { readonly userId: Id }) {
  const { data } = useSuspenseQuery(sessionsQuery(userId));
  if (data.list.length === 0) return <p className={css.soft}>{m.sessions.none}</p>;
  return (
    <table className={css.table}>
      <thead>
        <tr>
          <th scope="col">{m.sessions.from}</th>
          <th scope="col">{m.sessions.by}</th>
          <th scope="col">{m.sessions.begun}</th>
          <th scope="col">{m.sessions.seen}</th>
          <th scope="col">{m.sessions.ends}</th>
          <td />
        </tr>
      </thead>
      <tbody>
        {data.list.map((session) => (
          <Row key={session.id} session={session} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ session }: { readonly session: Session }) {
  const { apiKeyId, userAgent, address, inBrowser, begunOn, renewedOn, expiresOn, current } = session;
  return (
    <tr>
      <th scope="row">
        <Text>{address}</Text>
        {inBrowser && <small>{m.sessions.inBrowser}</small>}
      </th>
      <td data-label={m.sessions.by}>
        <Text>{userAgent ?? '–'}</Text>
        {apiKeyId !== undefined && <small>{m.sessions.byKey(String(apiKeyId))}</small>}
      </td>
      <td data-label={m.sessions.begun}>
        <Time on={begunOn} />
      </td>
      <td data-label={m.sessions.seen}>
        <Time on={renewedOn} />
      </td>
      <td data-label={m.sessions.ends}>
        <Time on={expiresOn} />
      </td>
      <td>{current ? <span className={css.soft}>{m.sessions.current}</span> : <End session={session} />}</td>
    </tr>
  );
}

function End({ session: { id, username, address } }: { readonly session: Session }) {
  return (
    <AskButton label={m.sessions.end} name={m.sessions.endOf(username, address)}>
      {(close) => (
        <Ask
          title={m.sessions.endOf(username, address)}
          confirm={m.sessions.end}
          isDanger
          requests={[endSessionRequest(id)]}
          onDone={close}
        >
          <p>{m.sessions.endText}</p>
        </Ask>
      )}
    </AskButton>
  );
}
