import {
  operations,
  recordedBesides,
  stringifyJson,
  type Client,
  type Input,
  type Schemas,
} from '@millrace/api';
import { InvalidArgumentError, type Command } from 'commander';
import { openClient } from '../access.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { Interrupted, UsageError } from '../errors.ts';
import { eventLine } from '../event-line.ts';
import { readWholeNumber, wholeNumberFrom } from '../flags.ts';
import { namesOf } from '../kinds.ts';
import { idOf } from '../names.ts';
import { didYouMean } from '../near.ts';
import { oneLine, type Terminal } from '../terminal.ts';
import { readTime, timeForms } from '../times.ts';

type Query = Input<'listEvents'>['query'];
type Progress = Schemas['UploadProgress'];

interface EventFlags
  extends
    CallFlags,
    Pick<Query, 'after' | 'last' | 'operation' | 'batchId' | 'actorKind' | 'from' | 'until'> {
  readonly queue?: readonly string[];
  readonly reverse?: boolean;
  readonly item?: Query['itemId'];
  readonly actorId?: string;
  readonly deviceId?: string;
  readonly follow?: boolean;
}

const usualLast = 20;
const pageLength = 1000;
const timeoutSeconds = 60;

/** `millrace events`: past events, and with --follow new ones as well. */
export function addEvents(program: Command, context: Context): Command {
  const command = program
    .command('events')
    .summary('What happened, and what happens')
    .description(
      'Print events, oldest first, a line each: the newest ones, or all after a cursor. With --follow it goes on with what ' +
        'happens until Ctrl-C, through restarts of the server, without losing or repeating one. With --from or --until all of ' +
        'that time. With --json each line is an event; its cursor is the place to continue from.',
    )
    .option('-f, --follow', 'Go on with what happens')
    .option(
      '--last <n>',
      `How many of the newest events to begin with (${usualLast})`,
      wholeNumberFrom(0, 1000),
    )
    .option('--after <cursor>', 'Begin behind an event instead; 0-0 is the beginning of all')
    .option('--from <time>', `Only at this time or later (${timeForms})`, (text) => readTime(text))
    .option('--until <time>', 'Only before this time', (text) => readTime(text))
    .option('--reverse', 'The newest first, back to the oldest, or to --from');
  addFilters(command);
  return addCallFlags(command).action(() => printEvents(context, command.optsWithGlobals<EventFlags>()));
}

/** The options that select events. */
function addFilters(command: Command): void {
  command
    .option('--queue <queue>', 'Only of this queue, by name or id; may be given several times', gathered)
    .option('--item <id>', 'Only of this work item; needs its queue', readWholeNumber)
    .option(
      '--batch-id <id>',
      'Only of this batch: its beginning, its items coming in, its end; with --queue also one of long ago',
      readWholeNumber,
    )
    .option('--operation <names>', 'Only by these operations or jobs, separated by commas', readOperations)
    .option('--actor-id <user>', 'Only by this user, by name or id; 0 is Millrace itself')
    .option(
      '--actor-kind <kinds>',
      'Only by USER, RUNNER (who processes items) or MILLRACE, separated by commas',
      readKinds,
    )
    .option('--device-id <device>', `Only by this device: ${namesOf('device')}`);
}

async function printEvents({ config, terminal }: Context, flags: EventFlags): Promise<void> {
  const client = await openClient(config, flags.url);
  const query = await queryOf(client, flags);
  const print = printer(terminal, flags.json === true);
  if (flags.follow !== true) {
    const count = await printUntilNow(client, query, print);
    if (mayHaveMissed(query, count)) terminal.say(missedAdvice(query));
    return;
  }
  const stop = new AbortController();
  const interrupt = () => stop.abort(new Interrupted());
  process.once('SIGINT', interrupt);
  try {
    const onProgress = (progress: Progress) => terminal.say(progressLine(progress));
    const options = { signal: stop.signal, ...(flags.json !== true && { onProgress }) };
    for await (const event of client.streamEvents({ query }, options)) print(event);
  } finally {
    process.off('SIGINT', interrupt);
  }
}

/** The progress of a file; shown in the terminal beside the events, as it is no event itself. */
function progressLine({ uploadId, queueName, fileName, rows, bytesRead, fileBytes }: Progress): string {
  const percent = Math.floor((100 * Number(bytesRead)) / Math.max(1, Number(fileBytes)));
  return oneLine(`Upload ${uploadId} into ${queueName}: ${rows} rows of ${fileName} read, ${percent} %.`);
}

function gathered(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, text];
}

function refuseContradictions({ item, queue = [], follow, from, until, reverse, after }: EventFlags): void {
  if (item !== undefined && queue.length !== 1)
    throw new UsageError('--item needs --queue: say which queue it is in, and no other.');
  if (follow === true && (from ?? until ?? reverse) !== undefined)
    throw new UsageError(
      '--follow goes on with what happens: it goes without --from, --until and --reverse.',
    );
  if (reverse === true && after !== undefined)
    throw new UsageError('--reverse begins with the newest: it goes without --after.');
}

async function queryOf(client: Client, flags: EventFlags): Promise<Query> {
  refuseContradictions(flags);
  const { queue = [], item, operation, actorId, actorKind, deviceId, batchId } = flags;
  const [queueId, ...others] = await Promise.all(queue.map((one) => idOf(client, 'queue', one)));
  return {
    ...(queueId !== undefined &&
      (others.length > 0 ? { queueIds: [queueId, ...others].join(',') } : { queueId })),
    ...(item !== undefined && { itemId: item }),
    ...(actorKind !== undefined && { actorKind }),
    ...(operation !== undefined && { operation }),
    ...(actorId !== undefined && { actorId: await idOf(client, 'user', actorId) }),
    ...(batchId !== undefined && { batchId }),
    ...(deviceId !== undefined && { deviceId: await idOf(client, 'device', deviceId) }),
    ...placeOf(flags),
  };
}

/** The part of the feed to read: a time range is read as a whole, anything else from the newest ones on. */
function placeOf({ after, last, from, until, reverse }: EventFlags): Partial<Query> {
  const range = { ...(from !== undefined && { from }), ...(until !== undefined && { until }) };
  if (reverse === true) return { ...range, before: 'now', ...(last !== undefined && { limit: last }) };
  if (after !== undefined) return { ...range, after, ...(last !== undefined && { last }) };
  if (last === undefined && (from ?? until) !== undefined) return range;
  return { ...range, last: last ?? usualLast };
}

function printer({ out, outColors }: Terminal, asJson: boolean): (event: Schemas['Event']) => void {
  return asJson ? (event) => out(stringifyJson(event)) : (event) => out(eventLine(event, outColors));
}

/**
 * Page after page, until there is no more right now, or as many as were asked for.
 * @returns how many events there were
 */
async function printUntilNow(
  client: Client,
  first: Query,
  print: (event: Schemas['Event']) => void,
): Promise<number> {
  const { last, limit: most = Infinity, ...filter } = first;
  const goesBack = filter.before !== undefined;
  const limited = { ...filter, limit: Math.min(pageLength, most) };
  let page = await client.listEvents({ query: last === undefined ? limited : first }, { timeoutSeconds });
  let count = page.list.length;
  page.list.forEach(print);
  while (page.isMore && count < most) {
    const place = goesBack ? { before: page.cursor } : { after: page.cursor };
    const query = { ...limited, ...place, limit: Math.min(pageLength, most - count) };
    page = await client.listEvents({ query }, { timeoutSeconds });
    count += page.list.length;
    page.list.forEach(print);
  }
  return count;
}

/** Of a batch whose queue is known, the server finds beginning and end. */
function missedAdvice({ queueId, batchId }: Query): string {
  const ofBatch =
    batchId === undefined || queueId !== undefined ? '' : ' With `--queue` as well, an older batch is found.';
  return `Only the newest 10,000 events were looked through.${ofBatch} With \`--after 0-0\` all are, from the oldest on.`;
}

/** Whether there may be more matches: with a filter, the newest are looked for only among the newest of all. */
function mayHaveMissed(query: Query, count: number): boolean {
  const { queueId, queueIds, operation, actorId, actorKind, deviceId, batchId } = query;
  const filters = [queueId, queueIds, operation, actorId, actorKind, deviceId, batchId];
  const isFiltered = filters.some((one) => one !== undefined);
  // The events of an item are found without the filter's limits.
  return isFiltered && query.itemId === undefined && count < (query.last ?? 0);
}

const kinds = ['USER', 'RUNNER', 'MILLRACE'];

/** @throws InvalidArgumentError for an unknown kind of actor */
function readKinds(text: string): string {
  const given = text.toUpperCase().split(',');
  if (given.every((kind) => kinds.includes(kind))) return given.join(',');
  throw new InvalidArgumentError(`Give ${kinds.join(', ')}, or some of them with commas between.`);
}

/** @throws InvalidArgumentError for a name that no event has */
export function readOperations(text: string): string {
  const known = [...Object.keys(operations), ...recordedBesides];
  const unknown = text.split(',').find((name) => !known.includes(name));
  if (unknown === undefined) return text;
  const hint = didYouMean(unknown, known) || 'The operations are those of the API, such as finishWorkItems.';
  throw new InvalidArgumentError(`Nothing is on record as "${unknown}". ${hint}`);
}
