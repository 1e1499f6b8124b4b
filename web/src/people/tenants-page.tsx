import type { Schemas } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Ask, AskButton, Over } from '../dialogs/ask.tsx';
import { TextLine } from '../page/fields.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { useTitle } from '../page/title.ts';
import { m } from './messages.ts';
import { Mark, useSecret, type SecretText } from './parts.tsx';
import {
  createTenant,
  createTenantRequest,
  isOwnTenant,
  rewrap,
  rewrapRequest,
  tenantRequest,
  tenantsQuery,
} from './queries.ts';
import css from './people.module.css';

export { loadTenants as load } from './queries.ts';

type Tenant = Schemas['Tenant'];

/** The tenants of the installation, for its operators. */
export function Page() {
  const { data } = useSuspenseQuery(tenantsQuery());
  const [said, setSaid] = useState('');
  useTitle(m.tenants.title);
  return (
    <>
      <header className={css.head}>
        <h1>{m.tenants.title}</h1>
        <span className={css.soft}>{m.tenants.total(data.page.total)}</span>
        <NewTenant />
      </header>
      <div className={css.page}>
        <table className={css.table}>
          <thead>
            <tr>
              <th scope="col">{m.people.name}</th>
              <th scope="col">{m.tenants.state}</th>
              <th scope="col">{m.tenants.id}</th>
              <th scope="col">{m.people.made}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {data.list.map((tenant) => (
              <Row key={String(tenant.id)} tenant={tenant} />
            ))}
          </tbody>
        </table>
        <h2>{m.tenants.keys}</h2>
        <p className={css.soft}>{m.tenants.rewrapText}</p>
        <p role="status">{said}</p>
        <AskButton label={m.tenants.rewrap}>
          {(close) => <Rewrap onSaid={setSaid} onClose={close} />}
        </AskButton>
      </div>
    </>
  );
}

function Row({ tenant }: { readonly tenant: Tenant }) {
  const { id, uuid, name, disabled, createdOn } = tenant;
  return (
    <tr>
      <th scope="row">
        <Text>{name}</Text>
        <small>
          <code>{uuid}</code>
        </small>
      </th>
      <td data-label={m.tenants.state}>
        <Mark
          state={disabled ? 'disabled' : 'active'}
          text={disabled ? m.tenants.disabled : m.tenants.active}
        />
      </td>
      <td data-label={m.tenants.id}>
        <span className="id">{String(id)}</span>
      </td>
      <td data-label={m.people.made}>
        <Time on={createdOn} />
      </td>
      <td>
        {isOwnTenant(uuid) ? <span className={css.soft}>{m.tenants.own}</span> : <Switch tenant={tenant} />}
      </td>
    </tr>
  );
}

/** Disables or enables a tenant. */
function Switch({ tenant }: { readonly tenant: Tenant }) {
  const { name, disabled } = tenant;
  const title = disabled ? m.tenants.enableOf(name) : m.tenants.disableOf(name);
  const label = disabled ? m.tenants.enable : m.tenants.disable;
  return (
    <AskButton label={label} name={title} className={disabled ? '' : 'danger'}>
      {(close) => (
        <Ask
          title={title}
          confirm={label}
          isDanger={!disabled}
          requests={[tenantRequest(tenant)]}
          onDone={close}
        >
          <p>{disabled ? m.tenants.enableText : m.tenants.disableText}</p>
        </Ask>
      )}
    </AskButton>
  );
}

/** Makes a tenant; the password of its administrator is shown once. */
function NewTenant() {
  const [isOpen, setOpen] = useState(false);
  const { show, element } = useSecret();
  const close = () => setOpen(false);
  return (
    <>
      <Button className="primary" onPress={() => setOpen(true)}>
        {m.tenants.new}
      </Button>
      <Over isOpen={isOpen} onClose={close} isDismissable={false}>
        <Form onMade={show} onClose={close} />
      </Over>
      {element}
    </>
  );
}

interface FormProps {
  readonly onMade: (secret: SecretText) => void;
  readonly onClose: () => void;
}

function Form({ onMade, onClose }: FormProps) {
  const [name, setName] = useState('');
  const [administrator, setAdministrator] = useState('');
  const request = createTenantRequest(name, administrator);
  const title = m.tenants.temporary(administrator.trim());
  const act = async () => {
    const { temporaryPassword: secret } = await createTenant(request);
    onMade({ title, text: m.users.temporaryText, name: title, secret });
  };
  return (
    <Ask
      title={m.tenants.new}
      confirm={m.tenants.make}
      isReady={name.trim() !== '' && administrator.trim() !== ''}
      requests={[request]}
      act={act}
      onDone={onClose}
    >
      <p>{m.tenants.newText}</p>
      <div className="fields">
        <TextLine label={m.people.name} value={name} isFirst isRequired onChange={setName} />
        <TextLine
          label={m.tenants.administrator}
          value={administrator}
          isRequired
          onChange={setAdministrator}
        />
      </div>
    </Ask>
  );
}

function Rewrap({
  onSaid,
  onClose,
}: {
  readonly onSaid: (said: string) => void;
  readonly onClose: () => void;
}) {
  const act = async () => {
    const { rewrapped, masterKey } = await rewrap();
    onSaid(m.tenants.rewrapped(rewrapped, masterKey));
  };
  return (
    <Ask title={m.tenants.rewrap} requests={[rewrapRequest()]} act={act} onDone={onClose}>
      <p>{m.tenants.rewrapText}</p>
    </Ask>
  );
}
