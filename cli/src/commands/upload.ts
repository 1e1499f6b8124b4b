import { openAsBlob } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import { createClient } from '@millrace/api';
import type { Command } from 'commander';
import { clientOptions } from '../access.ts';
import { printAnswer } from '../answer.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { describe } from '../contract.ts';
import { Interrupted, UsageError } from '../errors.ts';
import { idOf } from '../names.ts';
import { countingFetch, showBytes, unseen } from '../upload-progress.ts';

const operationId = 'createWorkItemsFromFile';

/** `millrace upload`: a file as work items. */
export function addUpload(program: Command, context: Context): Command {
  const { operation, text } = describe(operationId);
  const command = program
    .command('upload')
    .summary(operation.summary)
    .description(text)
    .argument('<queue>', 'Name or id of the queue')
    .argument('<file>', 'The file to read');
  return addCallFlags(command).action((queue: string, file: string) =>
    upload(context, { queue, file, flags: command.optsWithGlobals<CallFlags>() }),
  );
}

interface Upload {
  readonly queue: string;
  readonly file: string;
  readonly flags: CallFlags;
}

async function upload({ config, terminal }: Context, { queue, file, flags }: Upload): Promise<void> {
  const blob = await openFile(file);
  const asJson = flags.json === true;
  const progress = asJson ? unseen : showBytes(terminal, path.basename(file), blob.size);
  const client = createClient({ ...clientOptions(config, flags.url), fetch: countingFetch(progress.sent) });
  const id = await idOf(client, 'queue', queue);
  const stop = new AbortController();
  const interrupt = () => stop.abort(new Interrupted());
  process.once('SIGINT', interrupt);
  progress.begin();
  try {
    const call = { path: { id }, body: { file: blob } };
    const value = await client.createWorkItemsFromFile(call, { signal: stop.signal });
    progress.end();
    printAnswer(terminal, { operationId, value, description: '' }, asJson);
  } finally {
    progress.end();
    process.off('SIGINT', interrupt);
  }
}

/** @throws UsageError that says why the file cannot be read */
async function openFile(file: string): Promise<File> {
  const why = await whyUnreadable(file);
  if (why !== undefined) throw new UsageError(`${file} cannot be read: ${why}.`);
  return new File([await openAsBlob(file)], path.basename(file));
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'you may not read it',
};

async function whyUnreadable(file: string): Promise<string | undefined> {
  try {
    await access(file, constants.R_OK);
    return (await stat(file)).isFile() ? undefined : 'it is no file';
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return reasons[code] ?? message;
  }
}
