import type { Id, Schemas } from '@millrace/api';
import type { Command } from 'commander';
import { openClient } from '../access.ts';
import { printAnswer } from '../answer.ts';
import { isRecord, readJsonOption } from '../body.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { describe, membersOfNewItem } from '../contract.ts';
import { UsageError } from '../errors.ts';
import { flagName, optionsFor, readWholeNumber, valuesOf } from '../flags.ts';
import { idOf } from '../names.ts';

const operationId = 'createWorkItems';

type CreateFlags = CallFlags & {
  readonly body?: string;
  readonly batchId?: Id;
  readonly idempotencyKey?: string;
} & Readonly<Record<string, unknown>>;

/** `millrace item create`: one item from its data, or many from a body. */
export function addItemCreate(group: Command, context: Context): Command {
  const { operation, text } = describe(operationId);
  const command = group
    .command('create')
    .summary(operation.summary)
    .description(text)
    .argument('<queue>', 'Name or id of the queue');
  // No option is required here: --body can stand in for all of them, which is checked once everything was read.
  for (const member of membersOfNewItem())
    for (const option of optionsFor({ ...member, isRequired: false })) command.addOption(option);
  command.option(
    '--batch-id <id>',
    'The batch that they belong to, as "millrace batch create" made it',
    readWholeNumber,
  );
  command.option(
    '--body <json>',
    'Instead of all these: one item {"json":{…}}, a list of them, or the whole body: JSON, @file or - for stdin',
  );
  command.option(
    '--idempotency-key <text>',
    'A name for this call: sent again with it within a day, it creates nothing and answers as the first time',
  );
  return addCallFlags(command).action((queue: string) => create(context, queue, command.optsWithGlobals()));
}

async function create({ config, terminal }: Context, queue: string, flags: CreateFlags): Promise<void> {
  const { batchId } = flags;
  const given = (await bodyFrom(flags)) as Schemas['NewWorkItems'];
  const body = { ...given, ...(batchId !== undefined && { batchId }) };
  const client = await openClient(config, flags.url);
  const id = await idOf(client, 'queue', queue);
  const { idempotencyKey } = flags;
  const options = { timeoutSeconds: 120, idempotencyKey };
  const value = await client.createWorkItems({ path: { id }, body }, options);
  printAnswer(terminal, { operationId, value, description: '' }, flags.json === true);
}

async function bodyFrom(flags: CreateFlags): Promise<unknown> {
  const item = await valuesOf(membersOfNewItem(), flags);
  const { body } = flags;
  if (item['json'] !== undefined && body === undefined) return { workItems: [item] };
  if (body === undefined || item['json'] !== undefined)
    throw new UsageError('Give either --data, for one item, or --body, for one or many.');
  const others = Object.keys(item).map(flagName).join(' and ');
  if (others !== '')
    throw new UsageError(`${others} can only go with --data; in --body it stands with each item.`);
  return newItems(await readJsonOption('--body', body));
}

/** The body of the request: as it is, or around a list of items or one item. */
export function newItems(given: unknown): unknown {
  if (isRecord(given) && 'workItems' in given) return given;
  return { workItems: Array.isArray(given) ? (given as unknown[]) : [given] };
}
