import type { Schemas } from '@millrace/api';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { Ask } from '../dialogs/ask.tsx';
import { useEdited } from '../dialogs/edited.ts';
import { Others } from '../dialogs/meanwhile.tsx';
import { carryOut, remove } from '../dialogs/queries.ts';
import { Text } from '../page/text.tsx';
import { m } from './messages.ts';
import { sentenceOf } from './parts.tsx';
import { deleteRoleRequest, effectOf, roleRequest, updateRoleRequest, type RoleDraft } from './queries.ts';
import { RoleFields } from './role-fields.tsx';
import { differenceOf, type Role } from './rules.ts';
import css from './people.module.css';

type Effect = Schemas['RoleEffect'];

interface Props {
  readonly role: Role;
  readonly onClose: () => void;
}

const how = {
  draftOf: ({ name, description, permissions }: Role): RoleDraft => ({ name, description, permissions }),
  lists: { permissions: 'set' },
  now: roleRequest,
} as const;

const names: Readonly<Record<string, string>> = {
  name: m.people.name,
  description: m.people.description,
  permissions: m.roles.grants,
};
const words = {
  nameOf: (member: string) => names[member] ?? member,
  told: (member: string, value: string) => (member === 'permissions' ? sentenceOf(value) : undefined),
};

/** A change of a role: its trial says what it takes from whom, and only a tried change can be applied. */
export function ChangeRole({ role: latest, onClose, onSaid }: Props & { onSaid: (said: string) => void }) {
  // The role is edited as it was seen, even when it changes behind the dialog.
  const edited = useEdited(latest, how);
  const { base: role, draft } = edited;
  const [trial, setTrial] = useState<Effect>();
  const title = m.people.editOf(role.name);
  if (edited.others) return <Others title={title} edited={edited} words={words} onCancel={onClose} />;
  const change = (next: RoleDraft) => {
    edited.change(next);
    setTrial(undefined);
  };
  const request = updateRoleRequest(role, draft, trial === undefined);
  const act = async () => {
    if (trial === undefined) return setTrial(await edited.save(() => effectOf(request)));
    await edited
      .save(() => carryOut([request]))
      .catch((error: unknown) => {
        // With what others did meanwhile it has to be tried anew.
        setTrial(undefined);
        throw error;
      });
    onClose();
    onSaid(m.people.saved(draft.name));
  };
  return (
    <Ask
      title={title}
      confirm={trial ? m.roles.apply : m.roles.try}
      isReady={draft.name.trim() !== '' && isChanged(role, draft)}
      requests={[request]}
      act={act}
      // Only applying closes the dialog: the trial stays on screen.
      onDone={() => undefined}
      onCancel={onClose}
    >
      <RoleFields draft={draft} onChange={change} />
      <div role="status">{trial && <Taken effect={trial} />}</div>
    </Ask>
  );
}

function isChanged(role: Role, draft: RoleDraft): boolean {
  const { gives, takes } = differenceOf(role.permissions, draft.permissions);
  const isRenamed = draft.name.trim() !== role.name || draft.description !== role.description;
  return isRenamed || gives.length > 0 || takes.length > 0;
}

/** Deletes a role, once it has said what that takes from whom. */
export function DeleteRole({ role, onClose }: Props) {
  const navigate = useNavigate();
  const [trial, setTrial] = useState<Effect>();
  const [problem, setProblem] = useState('');
  const request = deleteRoleRequest(role, false);
  useEffect(() => {
    const refuse = (error: Error) => setProblem(error.message);
    void effectOf(deleteRoleRequest(role, true)).then(setTrial, refuse);
  }, [role]);
  return (
    <Ask
      title={m.people.delete}
      isDanger
      isReady={trial !== undefined}
      requests={[request]}
      act={() => remove(request, () => navigate({ to: '/roles' }))}
      onDone={onClose}
    >
      <p>{m.roles.deleteText}</p>
      <div role="status">{trial ? <Taken effect={trial} /> : problem === '' && m.roles.trying}</div>
      <p role="alert" className="problem">
        {problem}
      </p>
    </Ask>
  );
}

/** The losses by a change, which none of the users' other roles make up for. */
function Taken({ effect: { taken, takenCount, queues, queueCount } }: { readonly effect: Effect }) {
  return (
    <div className={css.trial}>
      <p>{takenCount === 0 ? m.roles.takesNothing : m.roles.takes(takenCount)}</p>
      {taken.length > 0 && (
        <ul>
          {taken.map(({ userId, username, permissions }) => (
            <li key={String(userId)}>
              <Link to="/users/$id" params={{ id: String(userId) }}>
                <Text>{username}</Text>
              </Link>
              : {permissions.map(sentenceOf).join('; ') || m.roles.itemsOnly}
            </li>
          ))}
          {takenCount > taken.length && <li>{m.roles.moreTaken(takenCount - taken.length)}</li>}
        </ul>
      )}
      {queueCount > 0 && (
        <>
          <p>{m.roles.takesQueues}</p>
          <ul>
            {queues.map(({ queueId, name }) => (
              <li key={String(queueId)}>
                <Text>{name}</Text>
              </li>
            ))}
            {queueCount > queues.length && <li>{m.roles.moreQueues(queueCount - queues.length)}</li>}
          </ul>
        </>
      )}
    </div>
  );
}
