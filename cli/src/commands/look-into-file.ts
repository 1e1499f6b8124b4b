import { createClient, type OperationId, type Schemas } from '@millrace/api';
import type { Command } from 'commander';
import { clientOptions } from '../access.ts';
import { printAnswer } from '../answer.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { describe } from '../contract.ts';
import { optionsFor, valuesOf } from '../flags.ts';
import { namesOf } from '../kinds.ts';
import { idOf } from '../names.ts';
import { openUpload } from '../upload-file.ts';

const timeoutSeconds = 300;

/** The operations that read a file and store nothing. */
type Looking = Extract<OperationId, 'previewFile' | 'proposeWorkItemModel'>;

export function looksIntoFile(operationId: OperationId): operationId is Looking {
  return operationId === 'previewFile' || operationId === 'proposeWorkItemModel';
}

type Flags = CallFlags & Readonly<Record<string, unknown>>;

/** `millrace queue preview` and `millrace model propose`: show what would become of a file. */
export function addLookIntoFile(command: Command, operationId: Looking, context: Context): void {
  const { operation, text, members } = describe(operationId);
  const isOfQueue = operation.queue !== null;
  command.summary(operation.summary).description(text);
  if (isOfQueue) command.argument('<queue>', namesOf('queue'));
  command.argument('<file>', 'The file to read: CSV or .xlsx, whose first row names the attributes');
  for (const option of members.flatMap(optionsFor)) command.addOption(option);
  addCallFlags(command).action((...given: unknown[]) => {
    const [queue, file] = isOfQueue ? (given as string[]) : [undefined, given[0] as string];
    return look(context, operationId, { queue, file: file ?? '', flags: command.optsWithGlobals<Flags>() });
  });
}

interface Look {
  readonly queue: string | undefined;
  readonly file: string;
  readonly flags: Flags;
}

async function look({ config, terminal }: Context, operationId: Looking, { queue, file, flags }: Look) {
  const query = await valuesOf(describe(operationId).members, flags);
  const body = { file: await openUpload(file) };
  const client = createClient(clientOptions(config, flags.url));
  const path = queue === undefined ? {} : { id: await idOf(client, 'queue', queue) };
  const value = await client.call(operationId, { path, query, body }, { timeoutSeconds });
  const asJson = flags.json === true;
  const shown = asJson || operationId !== 'previewFile' ? value : asTables(value as Schemas['FilePreview']);
  printAnswer(terminal, { operationId, value: shown, description: '' }, asJson);
}

/** A preview for people: its rows as columns, and their problems as a table. */
function asTables({ rows, problems, model, columns, mapping, ...how }: Schemas['FilePreview']): object {
  const { attributes } = model;
  return {
    ...how,
    ...(Object.keys(mapping).length > 0 && { mapping: JSON.stringify(mapping) }),
    columns,
    'rows as they would be stored': rows.map(({ row, json }) => ({ row, json })),
    'wrong in these rows': rows.flatMap((one) => one.problems),
    'wrong in the header': problems,
    'model of the file': attributes,
  };
}
