import type { Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { requestFor } from '../connection/request.ts';
import { AsScript } from '../dialogs/as-script.tsx';
import type { Compiled } from '../filters/compile.ts';
import { Choice } from '../page/fields.tsx';
import { Text } from '../page/text.tsx';
import { useRun } from '../page/use-run.ts';
import { modelQuery } from '../queues/queries.ts';
import { ColumnChoice } from './column-choice.tsx';
import { exportItems, mayReveal } from './export-queries.ts';
import { columnsAsListed, exportOf, type Draft } from './export-rules.ts';
import css from './export.module.css';
import { m } from './messages.ts';

interface Exported {
  readonly queue: Schemas['Queue'];
  readonly filter: Compiled | undefined;
  readonly sort: string;
  /** The columns of the list. */
  readonly shown: readonly string[];
  readonly total: number | undefined;
  readonly isEstimated: boolean;
}

/** Exports the items of a list as a file. */
export function ExportButton(props: Exported) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button className="quiet" onPress={() => setOpen(true)}>
        {m.export.open}
      </Button>
      <ModalOverlay isOpen={isOpen} onOpenChange={setOpen} className="overlay">
        <Modal className={`modal ${css.wide ?? ''}`}>
          <Dialog className={css.dialog}>
            <ExportForm {...props} onClose={() => setOpen(false)} />
          </Dialog>
        </Modal>
      </ModalOverlay>
    </>
  );
}

const browserZone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
const zones = Object.fromEntries(
  [...new Set([browserZone, 'UTC', ...Intl.supportedValuesOf('timeZone')])].map((zone) => [zone, zone]),
);

function ExportForm({ onClose, ...props }: Exported & { readonly onClose: () => void }) {
  // The list is exported as it was seen, even when it changes behind the dialog.
  const [looked] = useState(props);
  const { queue, filter, sort, shown } = looked;
  const { data: model } = useQuery(modelQuery(queue.workItemModelId ?? 0));
  const attributes = (model?.attributes ?? []).flatMap(({ name }) => name ?? []);
  const [draft, setDraft] = useState<Draft>();
  const listed = columnsAsListed(shown, queue.displayColumns ?? [], attributes);
  const now: Draft = draft ?? { ...first, columns: listed };
  const change = (members: Partial<Draft>) => setDraft({ ...now, ...members });
  const wanted = exportOf(now, attributes);
  const order = { field: sort.replace(/^-/, ''), direction: sort.startsWith('-') ? 'desc' : 'asc' };
  const body = wanted && { ...wanted, sort: [order], ...(filter && { filter: { ...filter } }) };
  return (
    <>
      <Heading slot="title">
        <Text>{m.export.title(queue.name ?? '')}</Text>
      </Heading>
      <Amount looked={looked} now={props} />
      <Form draft={now} onChange={change} isSensitive={model?.attributes?.some(isSensitive) === true} />
      <ColumnChoice
        columns={now.columns}
        listed={listed}
        attributes={attributes}
        onChange={(columns) => change({ columns })}
      />
      <p>{m.export.record}</p>
      <Run queueId={queue.id ?? 0} body={body} onClose={onClose} />
      {body && <AsScript requests={[requestFor('exportWorkItems', { path: { id: queue.id ?? 0 }, body })]} />}
    </>
  );
}

/** The number of items, which the list may know only after the dialog was opened. */
function Amount({ looked, now }: { readonly looked: Exported; readonly now: Exported }) {
  const { total, isEstimated, filter } = looked.total === undefined ? now : looked;
  return <p>{m.export.amount(total, isEstimated, filter !== undefined)}</p>;
}

const first: Omit<Draft, 'columns'> = {
  format: 'CSV',
  timeZone: browserZone,
  delimiter: 'COMMA',
  decimalSign: 'POINT',
  isPlain: false,
};

function isSensitive({ sensitivity }: { sensitivity?: string }): boolean {
  return sensitivity !== undefined;
}

interface FormProps {
  readonly draft: Draft;
  readonly isSensitive: boolean;
  readonly onChange: (members: Partial<Draft>) => void;
}

function Form({ draft, isSensitive: hasSecrets, onChange }: FormProps) {
  const { format, timeZone, delimiter, decimalSign, isPlain } = draft;
  return (
    <div className={css.fields}>
      <Choice
        label={m.export.format}
        value={format}
        choices={m.export.formats}
        onChange={(chosen = 'CSV') => onChange({ format: chosen })}
      />
      {format !== 'NDJSON' && (
        <Choice
          label={m.export.timeZone}
          value={timeZone}
          choices={zones}
          onChange={(chosen = 'UTC') => onChange({ timeZone: chosen })}
        />
      )}
      {format === 'CSV' && (
        <>
          <Choice
            label={m.export.delimiter}
            value={delimiter}
            choices={m.export.delimiters}
            onChange={(chosen = 'COMMA') => onChange({ delimiter: chosen })}
          />
          <Choice
            label={m.export.decimalSign}
            value={decimalSign}
            choices={m.export.decimalSigns}
            onChange={(chosen = 'POINT') => onChange({ decimalSign: chosen })}
          />
        </>
      )}
      {hasSecrets && mayReveal() && (
        <label className={css.check}>
          <input type="checkbox" checked={isPlain} onChange={() => onChange({ isPlain: !isPlain })} />
          {m.export.plain}
        </label>
      )}
    </div>
  );
}

interface RunProps {
  readonly queueId: NonNullable<Schemas['Queue']['id']>;
  readonly body: Schemas['ExportRequest'] | undefined;
  readonly onClose: () => void;
}

function Run({ queueId, body, onClose }: RunProps) {
  const { run, stop, isRunning, problem } = useRun();
  const [said, setSaid] = useState('');
  const begin = (wanted: Schemas['ExportRequest']) =>
    run(async (signal) => {
      setSaid('');
      const tell = (bytes: number) => setSaid(m.export.got(bytes / 1_000_000));
      setSaid(m.export.saved(await exportItems(queueId, wanted, tell, signal)));
    });
  return (
    <>
      <p role="status">{body ? said : m.export.needsColumn}</p>
      <p role="alert" className={css.problem}>
        {problem}
      </p>
      <div className={css.buttons}>
        <Button className="primary" isDisabled={!body} onPress={() => body && begin(body)}>
          {m.export.begin}
        </Button>
        {isRunning && <Button onPress={stop}>{m.export.stop}</Button>}
        <Button onPress={onClose}>{m.common.close}</Button>
      </div>
    </>
  );
}
