import { useNavigate } from '@tanstack/react-router';
import { Ask, AskButton } from '../dialogs/ask.tsx';
import { remove } from '../dialogs/queries.ts';
import { m } from './messages.ts';
import { deleteRequest, type Device } from './queries.ts';
import { nameOf } from './rules.ts';
import css from './devices.module.css';

/** Has the server forget a device, once that is confirmed. */
export function DeleteDevice({ device }: { readonly device: Device }) {
  const mayDelete = device.capabilities?.includes('edit') === true;
  return (
    <div className={css.actions}>
      <AskButton label={m.devices.delete} className="danger" isDisabled={!mayDelete}>
        {(close) => <Confirm device={device} onDone={close} />}
      </AskButton>
      {!mayDelete && <small className="soft">{m.devices.mayNotDelete}</small>}
    </div>
  );
}

function Confirm({ device, onDone }: { readonly device: Device; readonly onDone: () => void }) {
  const navigate = useNavigate();
  const request = deleteRequest(device.id);
  return (
    <Ask
      title={m.devices.deleteOf(nameOf(device))}
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
