import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { queuesQuery } from '../queues/queries.ts';
import { m } from './messages.ts';
import { Checks, sentenceOf } from './parts.tsx';
import { may } from './queries.ts';
import css from './people.module.css';

/** The scope of a key; undefined stands for all that its user may. */
export interface Scope {
  readonly permissions: readonly string[] | undefined;
  readonly queueIds: readonly string[] | undefined;
}

interface Props {
  /** The permissions of its user. */
  readonly permissions: readonly string[];
  readonly scope: Scope;
  readonly onChange: (scope: Scope) => void;
}

// A restricted key must not make other keys.
const neverInScope = 'generateApiKey';

/** Restricts a key to a part of its user's permissions. */
export function KeyScope({ permissions, scope, onChange }: Props) {
  const some = permissions.filter((name) => name !== neverInScope);
  return (
    <>
      <Either
        label={m.keys.scope}
        all={m.keys.allPermissions}
        some={m.keys.somePermissions}
        isSome={scope.permissions !== undefined}
        onChange={(isSome) => onChange({ ...scope, permissions: isSome ? [] : undefined })}
      />
      {scope.permissions && (
        <Checks
          label={m.keys.somePermissions}
          hint={m.keys.noKeys}
          all={some.map((name) => ({ key: name, name: sentenceOf(name), hint: name }))}
          chosen={scope.permissions}
          onChange={(chosen) => onChange({ ...scope, permissions: chosen })}
        />
      )}
      {may('useQueues') && <Queues scope={scope} onChange={onChange} />}
    </>
  );
}

const mostShown = 100;

function Queues({ scope, onChange }: Omit<Props, 'permissions'>) {
  const { data } = useQuery(queuesQuery());
  const [text, setText] = useState('');
  const { queueIds } = scope;
  const queues = (data?.list ?? []).map(({ id, name = '' }) => ({ key: String(id), name }));
  const isFound = ({ key, name }: { key: string; name: string }) =>
    (queueIds?.includes(key) ?? false) || name.toLowerCase().includes(text.toLowerCase());
  return (
    <>
      <Either
        label={m.keys.queues}
        all={m.keys.allQueues}
        some={m.keys.someQueues}
        isSome={queueIds !== undefined}
        onChange={(isSome) => onChange({ ...scope, queueIds: isSome ? [] : undefined })}
      />
      {queueIds && (
        <>
          <input
            type="search"
            aria-label={m.keys.findQueue}
            placeholder={m.keys.findQueue}
            value={text}
            onChange={({ target }) => setText(target.value)}
          />
          <Checks
            label={m.keys.queues}
            all={queues.filter(isFound).slice(0, mostShown)}
            chosen={queueIds}
            onChange={(chosen) => onChange({ ...scope, queueIds: chosen })}
          />
        </>
      )}
    </>
  );
}

interface EitherProps {
  readonly label: string;
  readonly all: string;
  readonly some: string;
  readonly isSome: boolean;
  readonly onChange: (isSome: boolean) => void;
}

/** All, or only some. */
function Either({ label, all, some, isSome, onChange }: EitherProps) {
  return (
    <fieldset className={css.group}>
      <legend>{label}</legend>
      {[false, true].map((one) => (
        <label key={String(one)} className={css.check}>
          <input type="radio" name={label} checked={isSome === one} onChange={() => onChange(one)} />
          <span>{one ? some : all}</span>
        </label>
      ))}
    </fieldset>
  );
}
