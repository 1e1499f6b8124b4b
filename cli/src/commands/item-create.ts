import type { Command } from 'commander';
import { openClient } from '../access.ts';
import { printAnswer } from '../answer.ts';
import { isRecord, readJsonOption } from '../body.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { describe } from '../contract.ts';
import { UsageError } from '../errors.ts';
import { wholeNumberFrom } from '../flags.ts';
import { queueIdOf } from '../queue-name.ts';
import type { Schemas } from '@millrace/api';

const operationId = 'createWorkItems';

interface CreateFlags extends CallFlags {
  readonly data?: string;
  readonly priority?: number;
  readonly deferredUntil?: string;
  readonly body?: string;
}

/** `millrace item create`: one item from its data, or many from a body. */
export function addItemCreate(group: Command, context: Context): Command {
  const { operation, text } = describe(operationId);
  const command = group
    .command('create')
    .summary(operation.summary)
    .description(text)
    .argument('<queue>', 'Name or id of the queue')
    .option('--data <json>', 'Values of the attributes of one item, by name: JSON, @file or - for stdin')
    .option('--priority <n>', '0 (last) to 9 (first), 4 when left out', wholeNumberFrom(0, 9))
    .option('--deferred-until <time>', 'Parks the item until then')
    .option(
      '--body <json>',
      'One item {"json":{…}}, a list of them, or the whole body: JSON, @file or - for stdin',
    );
  return addCallFlags(command).action((queue: string) => create(context, queue, command.optsWithGlobals()));
}

async function create({ config, terminal }: Context, queue: string, flags: CreateFlags): Promise<void> {
  const body = (await bodyFrom(flags)) as Schemas['NewWorkItems'];
  const client = await openClient(config, flags.url);
  const id = await queueIdOf(client, queue);
  const value = await client.createWorkItems({ path: { id }, body }, { timeoutSeconds: 120 });
  printAnswer(terminal, { operationId, value, description: '' }, flags.json === true);
}

async function bodyFrom({ data, body, priority, deferredUntil }: CreateFlags): Promise<unknown> {
  const own = {
    ...(priority !== undefined && { priority }),
    ...(deferredUntil !== undefined && { deferredUntil }),
  };
  if (data !== undefined && body === undefined)
    return { workItems: [{ json: await readJsonOption('--data', data), ...own }] };
  if (body === undefined || data !== undefined)
    throw new UsageError('Give either --data, for one item, or --body, for one or many.');
  if (Object.keys(own).length > 0)
    throw new UsageError(
      '--priority and --deferred-until go with --data; in --body they stand with each item.',
    );
  return newItems(await readJsonOption('--body', body));
}

/** The body of the request: as it is, or around a list of items or one item. */
export function newItems(given: unknown): unknown {
  if (isRecord(given) && 'workItems' in given) return given;
  return { workItems: Array.isArray(given) ? (given as unknown[]) : [given] };
}
