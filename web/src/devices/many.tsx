import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Ask, AskButton, Reason } from '../dialogs/ask.tsx';
import { deviceName } from '../page/device-name.ts';
import { Text } from '../page/text.tsx';
import { isOpen } from './hold.tsx';
import { m } from './messages.ts';
import { holdRequest, workQuery, type Device, type Hold } from './queries.ts';
import { fatesOf } from './rules.ts';
import css from './devices.module.css';

interface Props {
  readonly devices: readonly Device[];
  readonly onClear: () => void;
}

/** The actions on the chosen devices, all for one reason. */
export function ManyActions({ devices, onClear }: Props) {
  return (
    <div role="group" aria-label={m.devices.chosen(devices.length)} className={css.many}>
      <span role="status">{m.devices.chosen(devices.length)}</span>
      {(['resume', 'drain', 'quarantine'] as const).map((action) => (
        <AskButton
          key={action}
          label={m.devices.many(action, open(action, devices).length)}
          className={action === 'quarantine' ? 'danger' : ''}
          isDisabled={open(action, devices).length === 0}
        >
          {(close) => <Confirm action={action} devices={devices} onDone={close} />}
        </AskButton>
      ))}
      <Button className="quiet" onPress={onClear}>
        {m.devices.chooseNone}
      </Button>
    </div>
  );
}

/** The devices that the action can be done to, as they are and by this user. */
function open(action: Hold, devices: readonly Device[]): Device[] {
  return devices.filter((device) => isOpen(action, device) && device.capabilities?.includes('hold'));
}

interface ConfirmProps {
  readonly action: Hold;
  readonly devices: readonly Device[];
  readonly onDone: () => void;
}

/** Where the server refuses one of them, those before it are done: the next attempt goes on from there. */
function Confirm({ action, devices, onDone }: ConfirmProps) {
  const [reason, setReason] = useState('');
  const { data: work } = useQuery(workQuery());
  const concerned = open(action, devices);
  const ids = new Set(concerned.map(({ id }) => String(id)));
  const running = work?.list.filter(({ deviceId }) => ids.has(String(deviceId))) ?? [];
  return (
    <Ask
      title={m.devices.many(action, concerned.length)}
      isReady={concerned.length > 0}
      requests={concerned.map(({ id }) => holdRequest(action, id, reason.trim()))}
      onDone={onDone}
    >
      <p>{effectOf(action, running)}</p>
      <ul className={css.concerned}>
        {concerned.map((device) => (
          <li key={String(device.id)}>
            <Text>{deviceName(device)}</Text>
          </li>
        ))}
      </ul>
      {concerned.length < devices.length && <p>{m.devices.leftOut(devices.length - concerned.length)}</p>}
      <Reason
        label={m.devices.reason}
        reason={reason}
        onChange={setReason}
        isRequired={action !== 'resume'}
      />
    </Ask>
  );
}

function effectOf(action: Hold, running: Parameters<typeof fatesOf>[0]): string {
  if (action === 'resume') return m.devices.resumeManyEffect;
  return action === 'drain'
    ? m.devices.drainManyEffect(running.length)
    : m.devices.quarantineManyEffect(fatesOf(running));
}
