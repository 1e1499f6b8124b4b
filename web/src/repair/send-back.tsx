import type { Schemas } from '@millrace/api';
import { useEffect, useState } from 'react';
import {
  Button,
  Dialog,
  DialogTrigger,
  Form,
  Heading,
  Input,
  Label,
  Modal,
  ModalOverlay,
  TextField,
} from 'react-aria-components';
import type { Request } from '../connection/request.ts';
import { AsScript } from '../dialogs/as-script.tsx';
import { EnterHint, useBeginning } from '../dialogs/ask.tsx';
import { useCommand } from '../page/keys.ts';
import { Text } from '../page/text.tsx';
import { enterCell, type BenchRow } from './cells.ts';
import { typedOf } from '../work-items/values.ts';
import { m } from './messages.ts';
import {
  sendBack,
  sendBackRequest,
  tryCorrections,
  type Correction,
  type CorrectionOutcome,
} from './queries.ts';
import { cellText, changeOf, unsoundIn, type Attribute } from './rules.ts';
import type { Editing } from './use-edits.ts';
import css from './repair.module.css';

interface Props {
  readonly queue: Schemas['Queue'];
  readonly rows: readonly BenchRow[];
  readonly attributes: readonly Attribute[];
  readonly editing: Editing;
}

// The most rows of one call; the others stay in the grid.
const mostRows = 1000;

/** Sends corrected rows back to be tried again: tried on the server, confirmed, then done, with an outcome for each row. */
export function SendBack(props: Props) {
  const { queue, rows, attributes, editing } = props;
  const changed = rows.filter(({ id }) => editing.edits.has(id)).slice(0, mostRows);
  const [unsound, ...others] = unsoundIn(editing.edits, changed, attributes);
  // Users who may not repair are told so beside the other actions on the items.
  const mayRepair = queue.capabilities?.includes('repair') === true;
  const isReady = mayRepair && changed.length > 0 && !unsound;
  const [isOpen, setOpen] = useState(false);
  useCommand('Enter', () => {
    if (unsound) enterCell(unsound.id, unsound.column);
    else if (isReady) setOpen(true);
  });
  return (
    <>
      {unsound && (
        <span role="status" className="problem">
          {m.repair.invalid(
            unsound.id,
            `${unsound.name} ${m.repair.problems[unsound.problem]}`,
            others.length,
          )}
        </span>
      )}
      <DialogTrigger isOpen={isOpen} onOpenChange={setOpen}>
        <Button className="primary" isDisabled={!isReady}>
          {m.repair.sendBack(changed.length)} <kbd aria-hidden="true">{m.repair.sendKey}</kbd>
        </Button>
        <ModalOverlay isDismissable className="overlay">
          <Modal className="modal">
            <Dialog className={css.dialog}>
              {({ close }) => <Confirm {...props} rows={changed} onClose={close} />}
            </Dialog>
          </Modal>
        </ModalOverlay>
      </DialogTrigger>
    </>
  );
}

/** The trial of the corrections, and the function that sends them and tells the outcome. */
function useSending({ queue, editing }: Props, lines: readonly Line[]) {
  const queueId = queue.id ?? 0;
  const [trial, setTrial] = useState<CorrectionOutcome>();
  const [done, setDone] = useState<CorrectionOutcome>();
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const refuse = (error: Error) => setProblem(error.message);
  useEffect(
    () => void tryCorrections(queueId, lines.map(correctionOf)).then(setTrial, refuse),
    [queueId, lines],
  );
  const send = async (request: Request) => {
    if (isBusy || !trial?.changed) return;
    setBusy(true);
    const outcome = await sendBack(request).catch(refuse);
    if (outcome) {
      setDone(outcome);
      editing.settle(outcome.list.filter(({ error }) => !error).map(({ id }) => String(id)));
    }
    setBusy(false);
  };
  return { trial, done, problem, send };
}

function Confirm({ onClose, ...props }: Props & { readonly onClose: () => void }) {
  // Exactly the tried rows are sent, even when the list behind changes.
  const [lines] = useState(() => linesOf(props));
  const [reason, setReason] = useState('');
  const { trial, done, problem, send } = useSending(props, lines);
  const form = useBeginning();
  const request = sendBackRequest(props.queue.id ?? 0, lines.map(correctionOf), reason.trim());
  return (
    <Form
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        void send(request);
      }}
    >
      <Heading slot="title">{m.repair.sendBackTitle}</Heading>
      <p role="status">{toldOf(trial, done)}</p>
      <Lines lines={lines} outcome={done ?? trial} />
      {!done && (
        <TextField value={reason} onChange={setReason} maxLength={1000}>
          <Label>{m.item.reason}</Label>
          <Input />
        </TextField>
      )}
      <p role="alert" className="problem">
        {problem}
      </p>
      <div className={css.buttons}>
        {!done && (
          <Button type="submit" className="primary" isDisabled={!trial?.changed}>
            {m.repair.sendBack(trial?.changed ?? 0)} <EnterHint />
          </Button>
        )}
        <Button onPress={onClose}>{done ? m.common.close : m.common.cancel}</Button>
      </div>
      {!done && <AsScript requests={[request]} />}
    </Form>
  );
}

/** A row to send, with its changes. */
interface Line {
  readonly id: string;
  readonly correction: Correction;
  readonly changes: readonly string[];
}

const correctionOf = ({ correction }: Line): Correction => correction;

function linesOf({ rows, attributes, editing: { edits } }: Props): readonly Line[] {
  return rows.map((row) => ({
    id: row.id,
    correction: { id: BigInt(row.id), version: row.version, json: changeOf(edits, row, attributes) },
    changes: attributes
      .filter(({ name }) => edits.get(row.id)?.[name] !== undefined)
      .map(({ name }) =>
        m.repair.became(name, shown(typedOf(row.json[name])), shown(cellText(edits, row, name))),
      ),
  }));
}

const shown = (text: string) => (text === '' ? m.repair.unset : text);

function toldOf(trial: CorrectionOutcome | undefined, done: CorrectionOutcome | undefined): string {
  if (done)
    return `${m.repair.did(done.changed, done.refused)}${done.refused > 0 ? ` ${m.repair.kept}` : ''}`;
  return trial ? m.repair.would(trial.changed, trial.refused) : m.repair.trying;
}

function Lines({
  lines,
  outcome,
}: {
  readonly lines: readonly Line[];
  readonly outcome: CorrectionOutcome | undefined;
}) {
  const errors = new Map(outcome?.list.map(({ id, error }) => [String(id), error?.message]));
  return (
    <ul className={css.lines} aria-label={m.repair.changes} tabIndex={0}>
      {lines.map(({ id, changes }) => (
        <li key={id}>
          <span className="id">{id}</span> <Text>{changes.join(' · ')}</Text>
          {errors.get(id) && <span className="problem"> {errors.get(id)}</span>}
        </li>
      ))}
    </ul>
  );
}
