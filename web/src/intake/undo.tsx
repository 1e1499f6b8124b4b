import type { Id, Schemas } from '@millrace/api';
import { useEffect, useState } from 'react';
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { AsScript } from '../dialogs/as-script.tsx';
import { m } from './messages.ts';
import { undo, undoRequest } from './queries.ts';
import css from './intake.module.css';

interface Props {
  readonly queueId: Id;
  readonly uploadId: Id;
}

/** Takes a file back, after a trial that says how many items that withdraws. */
export function UndoButton(props: Props) {
  return (
    <DialogTrigger>
      <Button className="danger">{m.intake.undo}</Button>
      <ModalOverlay isDismissable className="overlay">
        <Modal className="modal">
          <Dialog>{({ close }) => <Undo {...props} onClose={close} />}</Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}

function Undo({ queueId, uploadId, onClose }: Props & { readonly onClose: () => void }) {
  const [trial, setTrial] = useState<Schemas['UndoOutcome']>();
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const refuse = (error: Error) => setProblem(error.message);
  useEffect(() => void undo(queueId, uploadId, true).then(setTrial, refuse), [queueId, uploadId]);
  const run = async () => {
    if (isBusy) return;
    setBusy(true);
    await undo(queueId, uploadId, false).then(onClose, refuse);
    setBusy(false);
  };
  return (
    <>
      <Heading slot="title">{m.intake.undo}</Heading>
      <p>{m.intake.undoText}</p>
      <p role="status">{trial ? m.intake.wouldUndo(trial.withdrawn) : m.intake.undoing}</p>
      <ul>
        {trial?.left.map(({ status, count, reason }) => (
          <li key={status}>{m.intake.left(count, m.status[status], reason)}</li>
        ))}
      </ul>
      <p role="alert" className="problem">
        {problem}
      </p>
      <div className={css.actions}>
        <Button className="danger" isDisabled={!trial?.withdrawn} onPress={() => void run()}>
          {m.intake.withdraw(trial?.withdrawn ?? 0)}
        </Button>
        <Button onPress={onClose}>{m.common.cancel}</Button>
      </div>
      <AsScript requests={[undoRequest(queueId, uploadId)]} />
    </>
  );
}
