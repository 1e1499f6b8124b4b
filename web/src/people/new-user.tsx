import { useState } from 'react';
import { Button } from 'react-aria-components';
import { idToCome } from '../connection/request.ts';
import { Ask, Over } from '../dialogs/ask.tsx';
import { m } from './messages.ts';
import { useSecret } from './parts.tsx';
import { createUser, createUserRequest, resetPassword, resetRequest, type UserDraft } from './queries.ts';
import type { Role } from './rules.ts';
import { UserFields } from './user-fields.tsx';
import css from './people.module.css';

interface Props {
  readonly roles: readonly Role[];
}

/** Makes a user; one who logs in with a password gets a temporary one, which is shown once. */
export function NewUser({ roles }: Props) {
  const [isOpen, setOpen] = useState(false);
  const { show, element } = useSecret();
  const close = () => setOpen(false);
  const onMade = (username: string, secret: string) =>
    show({
      title: m.users.temporary(username),
      text: m.users.temporaryText,
      name: m.users.temporary(username),
      secret,
    });
  return (
    <>
      <Button className="primary" onPress={() => setOpen(true)}>
        {m.users.new}
      </Button>
      <Over isOpen={isOpen} onClose={close} isWide isDismissable={false}>
        <Form roles={roles} onMade={onMade} onClose={close} />
      </Over>
      {element}
    </>
  );
}

interface FormProps extends Props {
  readonly onMade: (username: string, password: string) => void;
  readonly onClose: () => void;
}

function Form({ roles, onMade, onClose }: FormProps) {
  const [draft, setDraft] = useState(emptyDraft);
  const [hasPassword, setHasPassword] = useState(true);
  const [made, setMade] = useState<Awaited<ReturnType<typeof createUser>>>();
  const act = async () => {
    // Where setting the password has failed, another attempt must not make a second user.
    const user = made ?? (await createUser(draft));
    setMade(user);
    if (hasPassword) onMade(user.username, await resetPassword(user.id));
  };
  // A placeholder in the commands: the id is known once the user exists.
  const password = hasPassword ? [resetRequest(idToCome('USER'))] : [];
  return (
    <Ask
      title={m.users.new}
      confirm={m.users.make}
      isReady={draft.username.trim() !== ''}
      requests={[createUserRequest(draft), ...password]}
      act={act}
      onDone={onClose}
    >
      <UserFields draft={draft} roles={roles} isNew onChange={setDraft} />
      <p role="status" className={css.soft}>
        {/* Its line stays, so that no button moves while it is pressed. */}
        {draft.roles.length === 0 ? m.users.noRoles : '\u00a0'}
      </p>
      <label className={css.check}>
        <input
          type="checkbox"
          checked={hasPassword}
          onChange={({ target }) => setHasPassword(target.checked)}
        />
        <span>{m.users.withPassword}</span>
        <small>{m.users.withPasswordText}</small>
      </label>
    </Ask>
  );
}

/** Nothing is ticked: a new auditor must not get the right to create queues by default. */
const emptyDraft: UserDraft = {
  username: '',
  firstName: '',
  lastName: '',
  email: '',
  description: '',
  roles: [],
};
