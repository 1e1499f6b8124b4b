import { openAsBlob } from 'node:fs';
import path from 'node:path';
import { createClient } from '@millrace/api';
import type { Command } from 'commander';
import { clientOptions } from '../access.ts';
import { printAnswer } from '../answer.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { describe } from '../contract.ts';
import { Interrupted, UsageError } from '../errors.ts';
import { idOf } from '../names.ts';
import { countingFetch, showBytes } from '../upload-progress.ts';

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
  const progress = showBytes(terminal, path.basename(file), blob.size);
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
    printAnswer(terminal, { operationId, value, description: '' }, flags.json === true);
  } finally {
    progress.end();
    process.off('SIGINT', interrupt);
  }
}

async function openFile(file: string): Promise<File> {
  try {
    return new File([await openAsBlob(file)], path.basename(file));
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}
