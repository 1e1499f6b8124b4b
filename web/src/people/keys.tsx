import type { Id } from '@millrace/api';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Ask, AskButton } from '../dialogs/ask.tsx';
import { Choice } from '../page/fields.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { MakeKey, secretOf } from './make-key.tsx';
import { m } from './messages.ts';
import { nameOf, sentenceOf, useSecret } from './parts.tsx';
import {
  crowdQuery,
  keysQuery,
  makeKey,
  revokeRequest,
  rotateRequest,
  seesUsers,
  whoAmI,
} from './queries.ts';
import { isEnded, isSame, overlapEnd, type Key, type Overlap } from './rules.ts';
import css from './people.module.css';

/** The keys of one user, and a new one. */
export function KeysOf({ userId }: { readonly userId: Id }) {
  const { data } = useSuspenseQuery(keysQuery(userId));
  return (
    <>
      {data.list.length === 0 ? <p className={css.soft}>{m.keys.empty}</p> : <KeyTable keys={data.list} />}
      <p>
        <MakeKey userId={userId} />
      </p>
    </>
  );
}

interface TableProps {
  readonly keys: readonly Key[];
  /** Whether the keys are of several users. */
  readonly hasUsers?: boolean;
}

/** Keys, with purpose, scope, end and last use of each; each can be replaced or revoked. */
export function KeyTable({ keys, hasUsers = false }: TableProps) {
  const { show, element } = useSecret();
  return (
    <>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{m.keys.what}</th>
            {hasUsers && <th scope="col">{m.keys.user}</th>}
            <th scope="col">{m.keys.goodFor}</th>
            <th scope="col">{m.keys.ends}</th>
            <th scope="col">{m.keys.lastUsed}</th>
            <th scope="col">{m.people.made}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <Row key={String(key.id)} apiKey={key} hasUsers={hasUsers} onMade={show} />
          ))}
        </tbody>
      </table>
      {element}
    </>
  );
}

interface RowProps {
  readonly apiKey: Key;
  readonly hasUsers: boolean;
  readonly onMade: ReturnType<typeof useSecret>['show'];
}

function Row({ apiKey: key, hasUsers, onMade }: RowProps) {
  const { userId, expiresOn, lastUsedOn, replaces, createdOn } = key;
  return (
    <tr>
      <th scope="row">
        <Text>{nameOf(key)}</Text>
        {replaces !== undefined && <small>{m.keys.replaces(String(replaces))}</small>}
      </th>
      {hasUsers && (
        <td data-label={m.keys.user}>
          <UserName id={userId} />
        </td>
      )}
      <td data-label={m.keys.goodFor}>{goodFor(key)}</td>
      <td data-label={m.keys.ends}>
        {isEnded(key, new Date()) && `${m.keys.ended} `}
        {expiresOn === undefined ? m.keys.never : <Time on={expiresOn} />}
      </td>
      <td data-label={m.keys.lastUsed}>
        {lastUsedOn === undefined ? m.keys.neverUsed : <Time on={lastUsedOn} />}
      </td>
      <td data-label={m.people.made}>
        <Time on={createdOn} />
      </td>
      <td>
        <span className="buttons">
          {!isEnded(key, new Date()) && <Rotate apiKey={key} onMade={onMade} />}
          <Revoke apiKey={key} />
        </span>
      </td>
    </tr>
  );
}

function goodFor({ permissions, queueIds }: Key): string {
  const what = permissions ? permissions.map(sentenceOf).join('; ') : m.keys.all;
  return queueIds ? `${what}, ${m.keys.inQueues(queueIds.length)}` : what;
}

/** A user by name, where users may be seen. */
function UserName({ id }: { readonly id: Id }) {
  const name = useOwner(id);
  if (!seesUsers()) return <Text>{name}</Text>;
  return (
    <Link to="/users/$id" params={{ id: String(id) }}>
      <Text>{name}</Text>
    </Link>
  );
}

/** The name of a key's user; the id where users may not be seen. */
function useOwner(id: Id): string {
  const { data } = useQuery({ ...crowdQuery(), enabled: seesUsers() });
  const me = whoAmI();
  if (isSame(me.id, id)) return me.username;
  return data?.list.find((one) => isSame(one.id, id))?.username ?? String(id);
}

function Rotate({ apiKey: key, onMade }: Omit<RowProps, 'hasUsers'>) {
  return (
    <AskButton label={m.keys.rotate} name={m.keys.rotateOf(nameOf(key))}>
      {(close) => <RotateForm apiKey={key} onMade={onMade} onClose={close} />}
    </AskButton>
  );
}

function RotateForm({ apiKey: key, onMade, onClose }: Omit<RowProps, 'hasUsers'> & { onClose: () => void }) {
  const [overlap, setOverlap] = useState<Overlap>('day');
  const [now] = useState(() => new Date());
  const owner = useOwner(key.userId);
  const request = rotateRequest(key, overlapEnd(overlap, now));
  const act = async () => {
    const made = await makeKey(request);
    onMade(secretOf(made, owner));
  };
  return (
    <Ask
      title={m.keys.rotateOf(nameOf(key))}
      confirm={m.keys.rotate}
      requests={[request]}
      act={act}
      onDone={onClose}
    >
      <p>{m.keys.rotateText}</p>
      <Choice
        label={m.keys.overlap}
        value={overlap}
        choices={m.keys.overlaps}
        onChange={(value) => value && setOverlap(value)}
      />
    </Ask>
  );
}

function Revoke({ apiKey: key }: { readonly apiKey: Key }) {
  return (
    <AskButton label={m.keys.revoke} name={m.keys.revokeOf(nameOf(key))} className="danger">
      {(close) => (
        <Ask
          title={m.keys.revokeOf(nameOf(key))}
          confirm={m.keys.revoke}
          isDanger
          requests={[revokeRequest(key)]}
          onDone={close}
        >
          <p>{m.keys.revokeText}</p>
          <p>
            {m.keys.lastUse} {key.lastUsedOn === undefined ? m.keys.neverUsed : <Time on={key.lastUsedOn} />}
          </p>
        </Ask>
      )}
    </AskButton>
  );
}
