import path from 'node:path';
import { createClient, type Client, type Id, type Output } from '@millrace/api';
import type { Command } from 'commander';
import { clientOptions } from '../access.ts';
import { printAnswer, rejectedIn } from '../answer.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { describe } from '../contract.ts';
import { Interrupted, UsageError, exitCodes } from '../errors.ts';
import { optionsFor, readWholeNumber, valuesOf } from '../flags.ts';
import { followUpload } from '../follow-upload.ts';
import { idOf } from '../names.ts';
import { openUpload } from '../upload-file.ts';
import { countingFetch, showBytes, showStored, unseen } from '../upload-progress.ts';

const operationId = 'createWorkItemsFromFile';

/** `millrace upload`: a file as work items. */
export function addUpload(program: Command, context: Context): Command {
  const { operation, text, members } = describe(operationId);
  const command = program
    .command('upload')
    .summary(operation.summary)
    .description(
      `${text} At a terminal it is stored with --async, and the progress of that is shown until it is done; a command that was cut is resumed with --resume, or by giving it again.`,
    )
    .argument('<queue>', 'Name or id of the queue')
    .argument('[file]', 'The file to read: CSV or .xlsx, whose first row names the attributes');
  for (const option of members.flatMap(optionsFor)) command.addOption(option);
  command
    .option('--no-wait', 'With --async: end as soon as the file has come in')
    .option(
      '--resume <upload>',
      'Instead of a file: wait for an upload that the server has, by its id',
      readWholeNumber,
    );
  return addCallFlags(command).action((queue: string, file: string | undefined) =>
    upload(context, { queue, file, flags: command.optsWithGlobals<Flags>() }),
  );
}

type Flags = CallFlags & { readonly wait: boolean; readonly resume?: Id } & Readonly<Record<string, unknown>>;

interface Upload {
  readonly queue: string;
  readonly file: string | undefined;
  readonly flags: Flags;
}

type Answer = Output<'getUpload'>;

async function upload(context: Context, { queue, file, flags }: Upload): Promise<void> {
  const { terminal } = context;
  const { resume } = flags;
  if ((file === undefined) === (resume === undefined))
    throw new UsageError('Give a file to send, or --resume with the id of an upload that the server has.');
  const stop = new AbortController();
  const interrupt = () => stop.abort(new Interrupted());
  process.once('SIGINT', interrupt);
  try {
    const sent = await (file === undefined
      ? known(context, queue, flags)
      : send(context, { queue, file, flags }, stop.signal));
    const value = await waited(context, { ...sent, queue, flags }, stop.signal);
    printAnswer(terminal, { operationId, value, description: '' }, flags.json === true);
    if (flags.json !== true) for (const line of howToCorrect(queue, value)) terminal.say(line);
    if (rejectedIn(value) > 0) process.exitCode = exitCodes.refused;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

/** Advice for rows that did not come in, or came in as FAILED items: sent again, those would be there twice. */
export function howToCorrect(queue: string, answer: Answer): readonly string[] {
  const { uploadId, batchId, onError, rejected = 0, duplicates = 0 } = answer;
  if (uploadId === undefined || rejected + duplicates === 0) return [];
  const errors = `millrace queue upload-errors ${queue} ${String(uploadId)}`;
  if (onError !== 'dataError' || rejected === 0)
    return [`To correct the rows that did not come in: ${errors}`];
  const ofBatch = batchId === undefined ? '' : ` --where batchId=${String(batchId)}`;
  return [
    `The rows that do not fit came in as items that are FAILED. To correct them there: millrace item list ${queue}${ofBatch} --where failureKind=DATA_ERROR`,
    `To send the file anew instead, take it back first: millrace queue undo-upload ${queue} ${String(uploadId)}`,
    ...(duplicates === 0
      ? []
      : [`Rows that equal others were left out. They are, beside those that are FAILED, in: ${errors}`]),
  ];
}

/** A file that the server has, and the queue that it is for. */
interface Sent {
  readonly client: Client;
  readonly id: Id;
  readonly answer: Answer;
}

async function known({ config }: Context, queue: string, flags: Flags): Promise<Sent> {
  const client = createClient(clientOptions(config, flags.url));
  const id = await idOf(client, 'queue', queue);
  const uploadId = flags.resume ?? 0;
  const answer = await client.getUpload({ path: { id, uploadId } }, { timeoutSeconds: 60 });
  return { client, id, answer };
}

async function send(
  { config, terminal }: Context,
  { queue, file, flags }: Upload & { readonly file: string },
  signal: AbortSignal,
): Promise<Sent> {
  const query = await valuesOf(describe(operationId).members, flags);
  const blob = await openUpload(file);
  const asJson = flags.json === true;
  const progress = asJson ? unseen : showBytes(terminal, path.basename(file), blob.size);
  const client = createClient({ ...clientOptions(config, flags.url), fetch: countingFetch(progress.sent) });
  const id = await idOf(client, 'queue', queue);
  // Somebody watches such a terminal, so the progress is worth showing.
  const isWatched = terminal.isLive && !asJson && query['dryRun'] !== true;
  progress.begin();
  try {
    const call = {
      path: { id },
      query: { ...(isWatched && { async: true }), ...query },
      body: { file: blob },
    };
    return { client, id, answer: await client.createWorkItemsFromFile(call, { signal }) };
  } finally {
    progress.end();
  }
}

/** Waits until the file is stored, where that is wanted; a person who stops waiting is told how to go on. */
async function waited(
  { terminal }: Context,
  { client, id, answer, queue, flags }: Sent & Pick<Upload, 'queue' | 'flags'>,
  signal: AbortSignal,
): Promise<Answer> {
  const { state, uploadId = 0, fileName = '' } = answer;
  if (state === undefined || state === 'STORED' || (state === 'READING' && !flags.wait)) return answer;
  const storing = showStored(terminal, fileName, flags.json === true);
  try {
    return await followUpload(client, { id, uploadId }, storing, signal);
  } catch (error) {
    if (error instanceof Interrupted || signal.aborted)
      terminal.say(
        `The server goes on. To see it end: millrace upload ${queue} --resume ${String(uploadId)}`,
      );
    throw error;
  } finally {
    storing.end();
  }
}
