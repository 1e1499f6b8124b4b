import path from 'node:path';
import { stringifyJson, type Client, type Id, type Schemas } from '@millrace/api';
import type { Command } from 'commander';
import { openClient } from '../access.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { describe, timesInRows } from '../contract.ts';
import { displayColumnsOf, withColumns } from '../display-columns.ts';
import { Interrupted, UsageError } from '../errors.ts';
import { hasFlag, optionsFor, valuesOf } from '../flags.ts';
import { namesOf } from '../kinds.ts';
import { addFilterFlags, addSortFlag, listRequest, type ListFlags } from '../list-request.ts';
import { idOf } from '../names.ts';
import { saveFile } from '../save-file.ts';
import type { Terminal } from '../terminal.ts';
import { sizeText } from '../upload-progress.ts';

const operationId = 'exportWorkItems';

type Flags = CallFlags & ListFlags & Readonly<Record<string, unknown>>;

const formats = { '.csv': 'CSV', '.xlsx': 'EXCEL', '.ndjson': 'NDJSON', '.jsonl': 'NDJSON' } as const;

type Format = (typeof formats)[keyof typeof formats];

function members() {
  return describe(operationId).members.filter(
    (one) => hasFlag(one) && one.name !== 'filter' && one.name !== 'sort',
  );
}

/** `millrace item export`: the items of a queue as a file. */
export function addItemExport(parent: Command, context: Context): void {
  const { operation, text } = describe(operationId);
  const command = parent
    .command('export')
    .summary(operation.summary)
    .description(text)
    .argument('<queue>', namesOf('queue'))
    .argument(
      '[file]',
      'The file to write, or - for stdout; its ending tells the format: .csv, .xlsx, .ndjson',
    );
  addFilterFlags(command);
  addSortFlag(command);
  for (const option of members().flatMap(optionsFor)) command.addOption(option);
  addCallFlags(command).action((queue: string, file: string | undefined) =>
    exportItems(context, { queue, file, flags: command.optsWithGlobals<Flags>() }),
  );
}

interface Export {
  readonly queue: string;
  readonly file: string | undefined;
  readonly flags: Flags;
}

async function exportItems({ config, terminal }: Context, { queue, file, flags }: Export): Promise<void> {
  const client = await openClient(config, flags.url);
  const id = await idOf(client, 'queue', queue);
  const body = await bodyFor(client, id, { file, flags });
  const stop = new AbortController();
  const interrupt = () => stop.abort(new Interrupted());
  process.once('SIGINT', interrupt);
  try {
    const download = await client.exportWorkItems({ path: { id }, body }, { signal: stop.signal });
    const saved = await saveFile(terminal, download, file);
    if (saved) say(terminal, flags, saved);
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

function say(terminal: Terminal, flags: Flags, { file, size }: { file: string; size: number }): void {
  if (flags.json === true) terminal.out(stringifyJson({ fileName: file, fileBytes: size }));
  else terminal.say(`Wrote ${file} (${sizeText(size)}).`);
}

async function bodyFor(client: Client, id: Id, { file, flags }: Pick<Export, 'file' | 'flags'>) {
  const list = await listRequest(flags, timesInRows(operationId));
  const named = (await withColumns(list, displayColumnsOf(client, id))) as Schemas['ExportRequest'];
  const given = await valuesOf(members(), flags);
  const format = formatOf(file, given['format'] !== undefined);
  return { ...named, ...(format && { format }), ...given };
}

/** The format that the ending of a file tells. @throws UsageError for an ending that tells another one, unless the format is given */
export function formatOf(file: string | undefined, isGiven: boolean): Format | undefined {
  const ending = path.extname(file ?? '').toLowerCase();
  const format = Object.entries(formats).find(([known]) => known === ending)?.[1];
  if (format !== undefined || ending === '' || isGiven) return format;
  throw new UsageError(
    `${file} ends in ${ending}, which is no format that items go out in: those are ${Object.keys(formats).join(', ')}. Name the file so, or say by --format what is to be in it.`,
  );
}
