import type { Id } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Ask, Over } from '../dialogs/ask.tsx';
import { Choice, Field, TextLine } from '../page/fields.tsx';
import { instantOf, ZoneHint } from '../page/time.tsx';
import { m } from './messages.ts';
import { KeyScope, type Scope } from './key-scope.tsx';
import { nameOf, useSecret, type SecretText } from './parts.tsx';
import { createKeyRequest, crowdQuery, makeKey, rolesQuery, seesUsers, whoAmI } from './queries.ts';
import { beyond, endOf, isSame, permissionsOf, type Key, type Life } from './rules.ts';

interface Props {
  /** The user of the key, unless another is chosen. */
  readonly userId: Id;
}

/** Makes a key, which is shown once. */
export function MakeKey({ userId }: Props) {
  const [isOpen, setOpen] = useState(false);
  const { show, element } = useSecret();
  const close = () => setOpen(false);
  return (
    <>
      <Button className="primary" onPress={() => setOpen(true)}>
        {m.keys.new}
      </Button>
      <Over isOpen={isOpen} onClose={close} isWide isDismissable={false}>
        <Form userId={userId} onMade={show} onClose={close} />
      </Over>
      {element}
    </>
  );
}

/** A key to show once, with the lines that a program needs to log in by it. */
export function secretOf(key: Key, username: string): SecretText {
  const secret = key.apiKey ?? '';
  const quoted = username.replaceAll("'", String.raw`'\''`);
  const lines = [
    `export MILLRACE_URL=${location.origin}`,
    `export MILLRACE_USERNAME='${quoted}'`,
    `export MILLRACE_API_KEY=${secret}`,
    'millrace agent --config agent.yaml',
  ];
  return { title: m.keys.made(nameOf(key)), name: m.keys.key, secret, script: lines.join('\n') };
}

interface FormProps extends Props {
  readonly onMade: (secret: SecretText) => void;
  readonly onClose: () => void;
}

const everything: Scope = { permissions: undefined, queueIds: undefined };

function Form({ userId: first, onMade, onClose }: FormProps) {
  const [name, setName] = useState('');
  const [userId, setUserId] = useState(String(first));
  const [scope, setScope] = useState(everything);
  const [end, setEnd] = useState<EndDraft>({ life: 'year', time: '' });
  const [now] = useState(() => new Date());
  const owners = useOwners(first);
  const owner = owners.find(({ id }) => id === userId);
  const expiresOn = endOf(end.life, now, end.time === '' ? undefined : instantOf(end.time));
  const request = createKeyRequest({ name, userId: BigInt(userId), expiresOn, ...scope });
  const isChosen = [scope.permissions, scope.queueIds].every((some) => some === undefined || some.length > 0);
  const act = async () => onMade(secretOf(await makeKey(request), owner?.name ?? userId));
  return (
    <Ask
      title={m.keys.new}
      confirm={m.keys.make}
      isReady={name.trim() !== '' && isChosen && (end.life !== 'time' || end.time !== '')}
      requests={[request]}
      act={act}
      onDone={onClose}
    >
      <div className="fields">
        <TextLine label={m.keys.what} value={name} isFirst isRequired onChange={setName} />
        <Field label={m.keys.forWhom}>
          {(id) => (
            <select
              id={id}
              value={userId}
              onChange={({ target }) => {
                setUserId(target.value);
                setScope(everything);
              }}
            >
              {owners.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.isMe ? m.keys.myself(one.name) : one.name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <EndFields end={end} onChange={setEnd} />
      </div>
      <KeyScope permissions={owner?.permissions ?? []} scope={scope} onChange={setScope} />
    </Ask>
  );
}

interface EndDraft {
  readonly life: Life;
  /** A local time. */
  readonly time: string;
}

interface EndProps {
  readonly end: EndDraft;
  readonly onChange: (end: EndDraft) => void;
}

function EndFields({ end, onChange }: EndProps) {
  return (
    <>
      <Choice
        label={m.keys.end}
        value={end.life}
        choices={m.keys.lives}
        onChange={(life) => life && onChange({ ...end, life })}
      />
      {end.life === 'time' && (
        <Field label={m.keys.time}>
          {(id) => (
            <>
              <input
                id={id}
                type="datetime-local"
                value={end.time}
                required
                onChange={({ target }) => onChange({ ...end, time: target.value })}
              />
              <ZoneHint />
            </>
          )}
        </Field>
      )}
    </>
  );
}

/** A user for whom a key may be made. */
interface Owner {
  readonly id: string;
  readonly name: string;
  readonly isMe: boolean;
  readonly permissions: readonly string[];
}

/** Oneself; and, where one may make keys for others, the users who may have keys and have no further permissions than oneself. */
function useOwners(first: Id): readonly Owner[] {
  const { data: users } = useQuery({ ...crowdQuery(), enabled: seesUsers() });
  const { data: roles } = useQuery({ ...rolesQuery(), enabled: seesUsers() });
  const me = whoAmI();
  const own = { id: String(me.id), name: me.username, isMe: true, permissions: me.permissions };
  const others = (users?.list ?? [])
    .map((user) => ({ user, permissions: permissionsOf(user, roles?.list ?? []) }))
    .filter(({ user, permissions }) => !isSame(user.id, me.id) && mayHave(permissions))
    .map(({ user, permissions }) => ({
      id: String(user.id),
      name: user.username,
      isMe: false,
      permissions,
    }));
  const all = [own, ...others];
  // A user beyond those that were read is named by the id.
  if (all.some(({ id }) => id === String(first))) return all;
  return [...all, { id: String(first), name: String(first), isMe: false, permissions: [] }];
}

function mayHave(permissions: readonly string[]): boolean {
  return permissions.includes('generateApiKey') && beyond(whoAmI(), permissions).length === 0;
}
