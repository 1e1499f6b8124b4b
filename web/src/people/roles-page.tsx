import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Ask, Over } from '../dialogs/ask.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { useTitle } from '../page/title.ts';
import { m } from './messages.ts';
import { sentenceOf } from './parts.tsx';
import { createRole, createRoleRequest, may, rolesQuery, type RoleDraft } from './queries.ts';
import { RoleFields } from './role-fields.tsx';
import { isOfServer, type Role } from './rules.ts';
import css from './people.module.css';

export { loadRoles as load } from './queries.ts';

/** The roles of the tenant, with what each grants. */
export function Page() {
  const { data } = useSuspenseQuery(rolesQuery());
  useTitle(m.roles.title);
  return (
    <>
      <header className={css.head}>
        <h1>{m.roles.title}</h1>
        <span className={css.soft}>{m.roles.total(data.page.total)}</span>
        {may('manageUsers') ? <NewRole /> : <span className={css.soft}>{m.people.lookOnly}</span>}
      </header>
      <div className={css.page}>
        <table className={css.table}>
          <thead>
            <tr>
              <th scope="col">{m.people.name}</th>
              <th scope="col">{m.roles.grants}</th>
              <th scope="col">{m.roles.users}</th>
              <th scope="col">{m.people.changed}</th>
            </tr>
          </thead>
          <tbody>
            {data.list.map((role) => (
              <Row key={String(role.id)} role={role} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Row({ role }: { readonly role: Role }) {
  const { id, name, description, permissions, countPrincipals, updatedOn } = role;
  return (
    <tr>
      <th scope="row">
        <Link to="/roles/$id" params={{ id: String(id) }}>
          <Text>{name}</Text>
        </Link>
        {description !== '' && (
          <small>
            <Text>{description}</Text>
          </small>
        )}
        {isOfServer(role) && <small>{m.roles.ofServer}</small>}
      </th>
      <td data-label={m.roles.grants}>{permissions.map(sentenceOf).join('; ')}</td>
      <td data-label={m.roles.users}>{m.number(countPrincipals)}</td>
      <td data-label={m.people.changed}>
        <Time on={updatedOn} />
      </td>
    </tr>
  );
}

const basics: RoleDraft = { name: '', description: '', permissions: ['useQueues'] };

/** Makes a role, and shows it. */
function NewRole() {
  const [isOpen, setOpen] = useState(false);
  const [draft, setDraft] = useState(basics);
  const navigate = useNavigate();
  const request = createRoleRequest(draft);
  const close = () => {
    setOpen(false);
    setDraft(basics);
  };
  const act = async () => {
    const { id } = await createRole(request);
    await navigate({ to: '/roles/$id', params: { id: String(id) } });
  };
  return (
    <>
      <Button className="primary" onPress={() => setOpen(true)}>
        {m.roles.new}
      </Button>
      <Over isOpen={isOpen} onClose={close} isWide isDismissable={false}>
        <Ask
          title={m.roles.new}
          confirm={m.roles.make}
          isReady={draft.name.trim() !== ''}
          requests={[request]}
          act={act}
          onDone={close}
        >
          <RoleFields draft={draft} onChange={setDraft} />
        </Ask>
      </Over>
    </>
  );
}
