import { operations, stringifyJson, type Client, type Input, type Schemas } from '@millrace/api';
import { InvalidArgumentError, type Command } from 'commander';
import { openClient } from '../access.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { Interrupted, UsageError } from '../errors.ts';
import { eventLine } from '../event-line.ts';
import { readWholeNumber, wholeNumberFrom } from '../flags.ts';
import { namesOf } from '../kinds.ts';
import { idOf } from '../names.ts';
import { didYouMean } from '../near.ts';
import type { Terminal } from '../terminal.ts';

type Query = Input<'listEvents'>['query'];

interface EventFlags extends CallFlags, Pick<Query, 'after' | 'last' | 'operation'> {
  readonly queue?: string;
  readonly item?: Query['itemId'];
  readonly actorId?: string;
  readonly deviceId?: string;
  readonly follow?: boolean;
}

// What is on record besides operations: what the server does by itself, and what came too late to count.
const otherNames = [
  'returnLapsedItems',
  'promoteDueItems',
  'expireItems',
  'resumeQueues',
  'disconnectSilentDevices',
  'rekeyQueues',
  'lateReport',
];

const usualLast = 20;
const pageLength = 1000;
const timeoutSeconds = 60;

/** `millrace events`: what happened, and with --follow what happens. */
export function addEvents(program: Command, context: Context): Command {
  const command = program
    .command('events')
    .summary('What happened, and what happens')
    .description(
      'Print events, oldest first, a line each: the newest ones, or all after a cursor. With --follow it goes on with what ' +
        'happens until Ctrl-C, through restarts of the server, without losing or repeating one. With --json each line is an ' +
        'event; its cursor is the place to continue from.',
    )
    .option('-f, --follow', 'Go on with what happens')
    .option(
      '--last <n>',
      `How many of the newest events to begin with (${usualLast})`,
      wholeNumberFrom(0, 1000),
    )
    .option('--after <cursor>', 'Begin behind an event instead; 0-0 is the beginning of all')
    .option('--queue <queue>', 'Only of this queue, by name or id')
    .option('--item <id>', 'Only of this work item; needs its queue', readWholeNumber)
    .option('--operation <names>', 'Only by these operations or jobs, separated by commas', readOperations)
    .option('--actor-id <user>', 'Only by this user, by name or id; 0 is Millrace itself')
    .option('--device-id <device>', `Only by this device: ${namesOf('device')}`);
  return addCallFlags(command).action(() => printEvents(context, command.optsWithGlobals<EventFlags>()));
}

async function printEvents({ config, terminal }: Context, flags: EventFlags): Promise<void> {
  const client = await openClient(config, flags.url);
  const query = await queryOf(client, flags);
  const print = printer(terminal, flags.json === true);
  if (flags.follow !== true) {
    const count = await printUntilNow(client, query, print);
    if (mayHaveMissed(query, count)) terminal.say(missedAdvice);
    return;
  }
  const stop = new AbortController();
  const interrupt = () => stop.abort(new Interrupted());
  process.once('SIGINT', interrupt);
  try {
    for await (const event of client.streamEvents({ query }, { signal: stop.signal })) print(event);
  } finally {
    process.off('SIGINT', interrupt);
  }
}

async function queryOf(client: Client, flags: EventFlags): Promise<Query> {
  const { queue, item, operation, actorId, deviceId, after, last } = flags;
  if (item !== undefined && queue === undefined)
    throw new UsageError('--item needs --queue: say which queue it is in.');
  return {
    ...(queue !== undefined && { queueId: await idOf(client, 'queue', queue) }),
    ...(item !== undefined && { itemId: item }),
    ...(operation !== undefined && { operation }),
    ...(actorId !== undefined && { actorId: await idOf(client, 'user', actorId) }),
    ...(deviceId !== undefined && { deviceId: await idOf(client, 'device', deviceId) }),
    ...(after === undefined ? { last: last ?? usualLast } : { after, ...(last !== undefined && { last }) }),
  };
}

function printer({ out, outColors }: Terminal, asJson: boolean): (event: Schemas['Event']) => void {
  return asJson ? (event) => out(stringifyJson(event)) : (event) => out(eventLine(event, outColors));
}

/**
 * Page after page, until there is no more right now.
 * @returns how many events there were
 */
async function printUntilNow(
  client: Client,
  first: Query,
  print: (event: Schemas['Event']) => void,
): Promise<number> {
  const { last, ...filter } = first;
  const limited = { ...filter, limit: pageLength };
  let page = await client.listEvents({ query: last === undefined ? limited : first }, { timeoutSeconds });
  let count = page.list.length;
  page.list.forEach(print);
  while (page.isMore) {
    page = await client.listEvents({ query: { ...limited, after: page.cursor } }, { timeoutSeconds });
    count += page.list.length;
    page.list.forEach(print);
  }
  return count;
}

const missedAdvice =
  'Only the newest 10,000 events were looked through. With `--after 0-0` all are, from the oldest on.';

/** Whether there may be more of what was asked for: with a filter, the newest are found among the newest of all. */
function mayHaveMissed(
  { last, after, queueId, itemId, operation, actorId, deviceId }: Query,
  count: number,
): boolean {
  const isFiltered = [queueId, operation, actorId, deviceId].some((one) => one !== undefined);
  // The events of an item are found by the item.
  return after === undefined && isFiltered && itemId === undefined && count < (last ?? 0);
}

/** @throws InvalidArgumentError for a name under which nothing is on record */
export function readOperations(text: string): string {
  const known = [...Object.keys(operations), ...otherNames];
  const unknown = text.split(',').find((name) => !known.includes(name));
  if (unknown === undefined) return text;
  const hint = didYouMean(unknown, known) || 'The operations are those of the API, such as finishWorkItems.';
  throw new InvalidArgumentError(`Nothing is on record as "${unknown}". ${hint}`);
}
