import { Ban, CircleCheck, KeyRound, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Heading, Button } from 'react-aria-components';
import { Copied } from '../dialogs/as-script.tsx';
import { Over } from '../dialogs/ask.tsx';
import { Text } from '../page/text.tsx';
import { m } from './messages.ts';
import { stateOf, type Granted, type Key, type User, type UserState } from './rules.ts';
import css from './people.module.css';

const icons = {
  active: CircleCheck,
  disabled: Ban,
  deleted: Trash2,
  temporary: KeyRound,
  noPassword: KeyRound,
};

/** The state of a user: sign, colour and word. */
export function UserMark({ user }: { readonly user: User }) {
  const state = stateOf(user);
  return <Mark state={state} text={m.users.states[state]} />;
}

export function Mark({ state, text }: { readonly state: UserState; readonly text: string }) {
  const Icon = icons[state];
  return (
    <span className={css.mark} data-kind={state}>
      <Icon size={14} aria-hidden="true" />
      {text}
    </span>
  );
}

/** Permissions as sentences, each with the roles that grant it where they are given. */
export function Rights({ granted }: { readonly granted: readonly Granted[] }) {
  if (granted.length === 0) return <p className={css.soft}>{m.people.mayNothing}</p>;
  return (
    <ul className={css.rights}>
      {granted.map(({ permission, roles }) => (
        <li key={permission}>
          <span>{sentenceOf(permission)}</span>
          <small>
            <Text>{roles.length > 0 ? m.people.byRoles(roles.join(', ')) : permission}</Text>
          </small>
        </li>
      ))}
    </ul>
  );
}

/** The name that people know a key by: keys that replaced one another have the same name, so it comes with the prefix. */
export function nameOf({ id, name, prefix }: Key): string {
  const known = name === '' ? m.keys.unnamed(String(id)) : name;
  return prefix === undefined ? known : m.keys.known(known, prefix);
}

/** The permissions of a later server version are shown by their names. */
export function sentenceOf(permission: string): string {
  return m.people.permissions[permission] ?? permission;
}

/** A secret that is answered only once, such as a generated password. */
export interface SecretText {
  readonly title: string;
  readonly text?: string;
  /** The label of the secret, and the secret itself. */
  readonly name: string;
  readonly secret: string;
  /** Shell lines that use the secret. */
  readonly script?: string;
}

interface SecretProps {
  readonly secret: SecretText | undefined;
  readonly onClose: () => void;
}

/** Shows a secret once: nothing but its button closes it. */
function Secret({ secret, onClose }: SecretProps) {
  return (
    <Over isOpen={secret !== undefined} onClose={onClose} isOnce>
      {secret && (
        <>
          <Heading slot="title">{secret.title}</Heading>
          <p>
            {secret.text} {m.people.once}
          </p>
          <Copied name={secret.name} text={secret.secret} />
          {secret.script !== undefined && (
            <details>
              <summary>{m.keys.setUp}</summary>
              <Copied name={m.keys.setUp} text={secret.script} />
            </details>
          )}
          <Button className={`primary ${css.kept ?? ''}`} onPress={onClose}>
            {m.people.kept}
          </Button>
        </>
      )}
    </Over>
  );
}

interface ChecksProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly all: readonly Check[];
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}

/** An option that can be chosen together with others. */
export interface Check {
  readonly key: string;
  readonly name: string;
  readonly hint?: string | undefined;
  /** The reason why it cannot be chosen, or given up. */
  readonly obstacle?: string | undefined;
}

/** Several options; each that cannot be chosen says why. */
export function Checks({ label, hint, all, chosen, onChange }: ChecksProps) {
  const toggle = (key: string) =>
    onChange(chosen.includes(key) ? chosen.filter((one) => one !== key) : [...chosen, key]);
  return (
    <fieldset className={css.group}>
      <legend>{label}</legend>
      {hint !== undefined && <small>{hint}</small>}
      <div className={css.checks}>
        {all.map(({ key, name, hint: about, obstacle }) => (
          <label key={key} className={css.check}>
            <input
              type="checkbox"
              checked={chosen.includes(key)}
              disabled={obstacle !== undefined}
              onChange={() => toggle(key)}
            />
            <span>
              <Text>{name}</Text>
            </span>
            {(obstacle ?? about) !== undefined && (
              <small>
                <Text>{obstacle ?? about ?? ''}</Text>
              </small>
            )}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** A secret that is shown until it is closed. */
export function useSecret() {
  const [secret, show] = useState<SecretText>();
  return { show, element: <Secret secret={secret} onClose={() => show(undefined)} /> };
}
