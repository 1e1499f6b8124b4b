import { useNavigate } from '@tanstack/react-router';
import { Ask, AskButton } from '../dialogs/ask.tsx';
import { remove } from '../dialogs/queries.ts';
import { EditDevice } from './edit.tsx';
import { m } from './messages.ts';
import { deleteRequest, type Device } from './queries.ts';
import { deviceName } from '../page/device-name.ts';
import css from './devices.module.css';

/** Another nickname or other labels for a device, or its removal. */
export function ManageDevice({ device }: { readonly device: Device }) {
  const mayEdit = device.capabilities?.includes('edit') === true;
  return (
    <div className={css.actions}>
      <EditDevice device={device} isDisabled={!mayEdit} />
      <AskButton label={m.devices.delete} className="danger" isDisabled={!mayEdit}>
        {(close) => <Confirm device={device} onDone={close} />}
      </AskButton>
      {!mayEdit && <small className="soft">{m.devices.mayNotEdit}</small>}
    </div>
  );
}

function Confirm({ device, onDone }: { readonly device: Device; readonly onDone: () => void }) {
  const navigate = useNavigate();
  const request = deleteRequest(device.id);
  return (
    <Ask
      title={m.devices.deleteOf(deviceName(device))}
      confirm={m.devices.delete}
      isDanger
      requests={[request]}
      act={() => remove(request, () => navigate({ to: '/devices' }))}
      onDone={onDone}
    >
      <p>{m.devices.deleteEffect(device.busySlots)}</p>
    </Ask>
  );
}
