import { useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { Button } from 'react-aria-components';
import { Ask, AskButton } from '../dialogs/ask.tsx';
import { useEdited } from '../dialogs/edited.ts';
import { Others, type Words } from '../dialogs/meanwhile.tsx';
import { carryOut, remove } from '../dialogs/queries.ts';
import { TextLine } from '../page/fields.tsx';
import { Text } from '../page/text.tsx';
import { m } from './messages.ts';
import { sentenceOf, useSecret } from './parts.tsx';
import {
  getUserRequest,
  resetPassword,
  resetRequest,
  updateUserRequest,
  userDraftOf,
  userRequest,
  whoAmI,
} from './queries.ts';
import {
  beyond,
  differenceOf,
  grantedBy,
  isSame,
  obstacleTo,
  permissionsOf,
  type Crowd,
  type Role,
  type User,
  type UserAction,
} from './rules.ts';
import { UserFields } from './user-fields.tsx';
import css from './people.module.css';

interface Props {
  readonly user: User;
  readonly roles: readonly Role[];
  readonly crowd: Crowd;
  readonly onSaid: (said: string) => void;
}

/** The actions on a user: each says what it does, or why it is not possible. */
export function UserActions(props: Props) {
  const { user, roles, onSaid } = props;
  const { show, element } = useSecret();
  const onReset = (secret: string) =>
    show({
      title: m.users.temporary(user.username),
      text: m.users.temporaryText,
      name: m.users.temporary(user.username),
      secret,
    });
  const { username } = user;
  return (
    <>
      <ul className={css.todo}>
        <Action {...props} action="edit" label={m.people.edit} text={m.people.editText}>
          {(close) => <Edit user={user} roles={roles} onClose={close} onSaid={onSaid} />}
        </Action>
        <Action {...props} action="reset" label={m.users.reset} text={m.users.resetText(username)}>
          {(close) => <Reset user={user} onReset={onReset} onClose={close} />}
        </Action>
        <Action
          {...props}
          action={user.disabled ? 'enable' : 'disable'}
          label={user.disabled ? m.users.enable : m.users.disable}
          text={user.disabled ? m.users.enableText(username) : m.users.disableText(username)}
        >
          {(close) => <Switch user={user} onClose={close} />}
        </Action>
        <Action {...props} action="delete" label={m.people.delete} text={m.users.deleteText(username)}>
          {(close) => <Delete user={user} onClose={close} />}
        </Action>
      </ul>
      {element}
    </>
  );
}

interface ActionProps extends Props {
  readonly action: UserAction;
  readonly label: string;
  readonly text: string;
  readonly children: (close: () => void) => ReactNode;
}

function Action({ action, label, text, user, roles, crowd, children }: ActionProps) {
  const actor = whoAmI();
  const obstacle = obstacleTo({ action, actor, user, roles, crowd });
  const words = {
    ...m.users.obstacles,
    beyond: m.users.obstacles.beyond(beyond(actor, permissionsOf(user, roles)).map(sentenceOf).join('; ')),
  };
  const isDanger = action === 'delete' || action === 'disable';
  return (
    <li>
      {obstacle === undefined ? (
        <AskButton label={label} className={isDanger ? 'danger' : ''} isWide={action === 'edit'}>
          {children}
        </AskButton>
      ) : (
        <Button isDisabled>{label}</Button>
      )}
      <p>
        <Text>{obstacle === undefined ? text : words[obstacle]}</Text>
      </p>
    </li>
  );
}

interface FormProps {
  readonly user: User;
  readonly onClose: () => void;
}

interface EditProps extends FormProps {
  readonly roles: readonly Role[];
  readonly onSaid: (said: string) => void;
}

const how = { draftOf: userDraftOf, lists: { roles: 'set' }, now: getUserRequest } as const;

/** Names, address and roles; the gains and losses by other roles are shown before saving. */
function Edit({ user: latest, roles, onClose, onSaid }: EditProps) {
  // The user is edited as they were seen, even when they change behind the dialog.
  const edited = useEdited(latest, how);
  const { base: user, draft, change } = edited;
  const title = m.people.editOf(user.username);
  if (edited.others)
    return <Others title={title} edited={edited} words={wordsOf(roles)} onCancel={onClose} />;
  const request = updateUserRequest(user, draft);
  const given = draft.roles.map((id) => ({ id: BigInt(id) }));
  const after = grantedBy(given, roles).map(({ permission }) => permission);
  const { gives, takes } = differenceOf(permissionsOf(user, roles), after);
  const onDone = () => {
    onClose();
    onSaid(m.people.saved(user.username));
  };
  return (
    <Ask
      title={title}
      confirm={m.people.save}
      requests={[request]}
      act={() => edited.save(() => carryOut([request]))}
      onDone={onDone}
      onCancel={onClose}
    >
      <UserFields draft={draft} roles={roles} onChange={change} />
      <div role="status">
        {(gives.length > 0 || takes.length > 0) && (
          <div className={css.trial}>
            {gives.length > 0 && <Permissions title={m.people.gives} names={gives} />}
            {takes.length > 0 && <Permissions title={m.people.loses} names={takes} />}
            {isSame(user.id, whoAmI().id) && <p>{m.users.selfRoles}</p>}
          </div>
        )}
      </div>
    </Ask>
  );
}

/** The words for the members of a user, and the names of roles. */
function wordsOf(roles: readonly Role[]): Words {
  const { firstName, lastName, email } = m.users;
  const { description, roles: given } = m.people;
  const names: Readonly<Record<string, string>> = { firstName, lastName, email, description, roles: given };
  return {
    nameOf: (member) => names[member] ?? member,
    told: (member, id) => (member === 'roles' ? roles.find((one) => String(one.id) === id)?.name : undefined),
  };
}

function Permissions({ title, names }: { readonly title: string; readonly names: readonly string[] }) {
  return (
    <>
      <p>{title}</p>
      <ul>
        {names.map((name) => (
          <li key={name}>{sentenceOf(name)}</li>
        ))}
      </ul>
    </>
  );
}

function Reset({ user, onReset, onClose }: FormProps & { readonly onReset: (secret: string) => void }) {
  return (
    <Ask
      title={m.users.reset}
      requests={[resetRequest(user.id)]}
      act={() => resetPassword(user.id).then(onReset)}
      onDone={onClose}
    >
      <p>
        <Text>{m.users.resetText(user.username)}</Text>
      </p>
    </Ask>
  );
}

/** Disables or enables a user, as asked for, even when somebody else is faster. */
function Switch({ user: first, onClose }: FormProps) {
  const [user] = useState(first);
  const [action, title, text] = user.disabled
    ? (['enable', m.users.enable, m.users.enableText(user.username)] as const)
    : (['disable', m.users.disable, m.users.disableText(user.username)] as const);
  return (
    <Ask
      title={title}
      isDanger={action === 'disable'}
      requests={[userRequest(action, user.id)]}
      onDone={onClose}
    >
      <p>
        <Text>{text}</Text>
      </p>
    </Ask>
  );
}

function Delete({ user, onClose }: FormProps) {
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const request = userRequest('delete', user.id);
  return (
    <Ask
      title={m.people.delete}
      isDanger
      isReady={typed === user.username}
      requests={[request]}
      act={() => remove(request, () => navigate({ to: '/users' }))}
      onDone={onClose}
    >
      <p>
        <Text>{m.users.deleteText(user.username)}</Text>
      </p>
      <TextLine label={m.people.typeName(user.username)} value={typed} onChange={setTyped} />
    </Ask>
  );
}
