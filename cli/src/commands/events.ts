import { stringifyJson, type Client, type Input, type Schemas } from '@millrace/api';
import type { Command } from 'commander';
import { openClient } from '../access.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { Interrupted, UsageError } from '../errors.ts';
import { eventLine } from '../event-line.ts';
import { readWholeNumber, wholeNumberFrom } from '../flags.ts';
import { queueIdOf } from '../queue-name.ts';
import type { Terminal } from '../terminal.ts';

type Query = Input<'listEvents'>['query'];

interface EventFlags extends CallFlags, Omit<Query, 'queueId' | 'itemId' | 'limit'> {
  readonly queue?: string;
  readonly item?: Query['itemId'];
  readonly follow?: boolean;
}

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
    .option('--operation <names>', 'Only by these operations or jobs, separated by commas')
    .option('--actor-id <n>', 'Only by this user; 0 is Millrace itself', readWholeNumber)
    .option('--device-id <n>', 'Only by this device', readWholeNumber);
  return addCallFlags(command).action(() => printEvents(context, command.optsWithGlobals<EventFlags>()));
}

async function printEvents({ config, terminal }: Context, flags: EventFlags): Promise<void> {
  const client = await openClient(config, flags.url);
  const query = await queryOf(client, flags);
  const print = printer(terminal, flags.json === true);
  if (flags.follow !== true) return printUntilNow(client, query, print);
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
    ...(queue !== undefined && { queueId: await queueIdOf(client, queue) }),
    ...(item !== undefined && { itemId: item }),
    ...(operation !== undefined && { operation }),
    ...(actorId !== undefined && { actorId }),
    ...(deviceId !== undefined && { deviceId }),
    ...(after === undefined ? { last: last ?? usualLast } : { after, ...(last !== undefined && { last }) }),
  };
}

function printer({ out, outColors }: Terminal, asJson: boolean): (event: Schemas['Event']) => void {
  return asJson ? (event) => out(stringifyJson(event)) : (event) => out(eventLine(event, outColors));
}

/** Page after page, until there is no more right now. */
async function printUntilNow(
  client: Client,
  first: Query,
  print: (event: Schemas['Event']) => void,
): Promise<void> {
  const { last, ...filter } = first;
  const limited = { ...filter, limit: pageLength };
  let page = await client.listEvents({ query: last === undefined ? limited : first }, { timeoutSeconds });
  page.list.forEach(print);
  while (page.isMore) {
    page = await client.listEvents({ query: { ...limited, after: page.cursor } }, { timeoutSeconds });
    page.list.forEach(print);
  }
}
