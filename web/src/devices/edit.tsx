import { deviceName } from '../page/device-name.ts';
import { Ask, AskButton } from '../dialogs/ask.tsx';
import { useEdited } from '../dialogs/edited.ts';
import { Others, type Words } from '../dialogs/meanwhile.tsx';
import { carryOut } from '../dialogs/queries.ts';
import { TextLine } from '../page/fields.tsx';
import { m } from './messages.ts';
import { changeRequest, deviceRequest, type Device } from './queries.ts';
import { changesIn, draftOf, settingsOf } from './rules.ts';

interface Props {
  readonly device: Device;
}

/** The button to a dialog in which a device gets another nickname or other labels. */
export function EditDevice({ device, isDisabled }: Props & { readonly isDisabled: boolean }) {
  return (
    <AskButton label={m.devices.edit} isDisabled={isDisabled}>
      {(close) => <Edit device={device} onDone={close} />}
    </AskButton>
  );
}

const how = { draftOf, settingsOf, now: deviceRequest };

const words: Words = {
  nameOf: (member) => ({ nickname: m.devices.nickname, labels: m.devices.labels })[member] ?? member,
};

/** Changes a device as it was seen: when it changes behind the dialog, both changes come together. */
function Edit({ device: latest, onDone }: Props & { readonly onDone: () => void }) {
  const edited = useEdited(latest, how);
  const { base: device, draft, change } = edited;
  const title = m.devices.editOf(deviceName(device));
  if (edited.others) return <Others title={title} edited={edited} words={words} onCancel={onDone} />;
  const request = changeRequest(device, draft);
  return (
    <Ask
      title={title}
      confirm={m.devices.save}
      isReady={Object.keys(changesIn(device, draft)).length > 0}
      requests={[request]}
      act={() => edited.save(() => carryOut([request]))}
      onDone={onDone}
    >
      <TextLine
        label={m.devices.nickname}
        hint={m.devices.nicknameHint(device.hostName)}
        value={draft.nickname}
        isFirst
        onChange={(nickname) => change({ nickname })}
      />
      <TextLine
        label={m.devices.labels}
        hint={m.devices.labelsHint}
        value={draft.labels}
        most={5100}
        onChange={(labels) => change({ labels })}
      />
    </Ask>
  );
}
