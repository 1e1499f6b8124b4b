import { deviceName } from '../page/device-name.ts';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Ask, AskButton, Reason } from '../dialogs/ask.tsx';
import { AskOwners } from '../people/owners.tsx';
import { m } from './messages.ts';
import { holdRequest, poolsQuery, workOfQuery, type Device, type Hold } from './queries.ts';
import { fatesOf } from './rules.ts';
import css from './devices.module.css';

/** Drain, quarantine or resume, as the state of the device allows; each dialog says beforehand what it does. */
export function HoldActions({ device }: { readonly device: Device }) {
  const actions = (['resume', 'drain', 'quarantine'] as const).filter((one) => isOpen(one, device));
  const label = m.devices.actions(deviceName(device));
  if (!device.capabilities?.includes('hold'))
    return (
      <div role="group" aria-label={label} className={css.actions}>
        {actions.map((action) => (
          <Button key={action} isDisabled>
            {m.devices[action]}
          </Button>
        ))}
        <MayNotHold device={device} />
      </div>
    );
  return (
    <div role="group" aria-label={label} className={css.actions}>
      {actions.map((action) => (
        <AskButton
          key={action}
          label={m.devices[action]}
          className={action === 'quarantine' ? 'danger' : ''}
          shortcut={action === 'quarantine' ? 'q' : undefined}
        >
          {(close) => <Confirm action={action} device={device} onDone={close} />}
        </AskButton>
      ))}
    </div>
  );
}

/** Whom to ask to take a device out of use. */
function MayNotHold({ device: { poolIds } }: { readonly device: Device }) {
  const { data: pools } = useQuery(poolsQuery());
  const own = pools?.list.filter(({ id }) => id !== undefined && poolIds.includes(id)) ?? [];
  return <AskOwners ids={own.flatMap(({ ownerIds }) => ownerIds)}>{m.devices.mayNot}</AskOwners>;
}

/** Whether the action makes sense in the state of the device. */
export function isOpen(action: Hold, { state }: Device): boolean {
  if (action === 'resume') return state !== 'ACTIVE';
  return action === 'drain' ? state === 'ACTIVE' : state !== 'QUARANTINED';
}

interface ConfirmProps {
  readonly action: Hold;
  readonly device: Device;
  readonly onDone: () => void;
}

function Confirm({ action, device, onDone }: ConfirmProps) {
  const [reason, setReason] = useState('');
  return (
    <Ask
      title={m.devices.heading(action, deviceName(device))}
      confirm={m.devices[action]}
      requests={[holdRequest(action, device.id, reason.trim())]}
      onDone={onDone}
    >
      <Effect action={action} device={device} />
      <Reason
        label={m.devices.reason}
        reason={reason}
        onChange={setReason}
        isRequired={action !== 'resume'}
      />
    </Ask>
  );
}

/** The effect of the action on the running items; kept up to date while the dialog is open. */
function Effect({ action, device }: Omit<ConfirmProps, 'onDone'>) {
  const { data } = useQuery(workOfQuery(device.id));
  if (action === 'resume') return <p>{m.devices.resumeEffect}</p>;
  if (!data) return undefined;
  const text =
    action === 'drain'
      ? m.devices.drainEffect(data.page.total)
      : m.devices.quarantineEffect(fatesOf(data.list));
  return <p>{text}</p>;
}
