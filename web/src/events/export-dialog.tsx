import { useState } from 'react';
import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { Choice } from '../page/fields.tsx';
import { Command } from '../page/states.tsx';
import { useRun } from '../page/use-run.ts';
import { exportAudit, exportEvents, mostExported, type ExportFormat } from './export-queries.ts';
import { m } from './messages.ts';
import { mayExportAudit } from './queries.ts';
import type { EventQuery } from './rules.ts';
import css from './events.module.css';

interface Props {
  readonly query: EventQuery;
  readonly onClose: () => void;
}

/** Exports the matching events as a file, and the sealed audit trail for users who may. */
export function ExportDialog({ query, onClose }: Props) {
  const [format, setFormat] = useState<ExportFormat>('CSV');
  const [said, setSaid] = useState('');
  const [isCut, setCut] = useState(false);
  const { run, stop, isRunning, problem } = useRun();
  const begin = () =>
    run(async (signal) => {
      const tell = (amount: number) => setSaid(m.events.exported(amount));
      const outcome = await exportEvents(query, format, tell, signal);
      setCut(outcome.isCut);
      setSaid(outcome.isCut ? m.events.cut(mostExported) : m.events.saved(outcome.amount));
    });
  return (
    <ModalOverlay isOpen onOpenChange={onClose} className="overlay">
      <Modal className="modal">
        <Dialog className={css.dialog}>
          <Heading slot="title">{m.events.exportTitle}</Heading>
          <p>{m.events.exportText}</p>
          <Choice
            label={m.events.format}
            value={format}
            choices={m.events.formats}
            onChange={(chosen) => setFormat(chosen ?? 'CSV')}
          />
          <p role="status">{said}</p>
          {isCut && <Command>millrace events --reverse --json</Command>}
          <p role="alert" className={css.problem}>
            {problem}
          </p>
          <div className={css.buttons}>
            <Button className="primary" onPress={begin}>
              {m.events.begin}
            </Button>
            {isRunning && <Button onPress={stop}>{m.events.stop}</Button>}
            <Button onPress={onClose}>{m.common.close}</Button>
          </div>
          {mayExportAudit() && <Audit />}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function Audit() {
  const { run, isRunning, problem } = useRun();
  return (
    <section aria-label={m.events.audit}>
      <h3>{m.events.audit}</h3>
      <p>{m.events.auditText}</p>
      <Command>millrace audit export --output audit.ndjson</Command>
      <p role="alert" className={css.problem}>
        {problem}
      </p>
      <p role="status">{isRunning && m.events.auditSaving}</p>
      <Button onPress={() => run(exportAudit)}>{m.events.auditBegin}</Button>
    </section>
  );
}
