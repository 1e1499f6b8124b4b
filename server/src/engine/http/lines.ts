import type { IncomingMessage } from 'node:http';
import { finished, type Readable } from 'node:stream';
import { stringifyJson, type Id, type Operation } from '@millrace/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestReader } from '../contract.ts';
import { Refusal, toRefusal, type ErrorDetail } from '../errors.ts';
import { readJson } from '../json/read.ts';
import type { Identity } from '../operation.ts';
import type { TakePlace } from '../places.ts';
import { inSlices } from '../slices.ts';
import { Spool } from '../spool.ts';

/** Whether a body comes as lines of JSON, of which there may be any number. */
export function isOfLines({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return /^application\/(x-)?ndjson\b/i.test(headers['content-type'] ?? '');
}

/** Refuses a body of lines where an operation takes one thing. */
export function refuseLines({ lines }: Operation, request: FastifyRequest): void {
  if (!isOfLines(request)) return;
  if (lines === null)
    throw new Refusal(
      'UNSUPPORTED_MEDIA_TYPE',
      'This operation takes no lines of JSON. Send the body as JSON, with the header Content-Type: application/json.',
    );
}

/** Leaves the body of lines as the stream that it is. */
export function receiveLines(_: FastifyRequest, body: IncomingMessage): Promise<IncomingMessage> {
  return Promise.resolve(body);
}

/** An operation that makes something of each member of a list, and its caller. */
interface LinesCall {
  /** The member of the body that has the list. */
  readonly list: string;
  readonly reader: RequestReader;
  /** Performs the operation for some of the members: for all of them, or for none. @throws Refusal that names those that are in the way */
  readonly perform: (body: object) => Promise<unknown>;
  readonly takePlace: TakePlace;
}

// A reader that takes nothing for this long when all was sent is cut.
const stalledMs = 120_000;

/** Performs an operation for the lines of a request, and answers what became of each. */
export async function sendLines(
  request: FastifyRequest,
  reply: FastifyReply,
  sender: Identity,
  call: LinesCall,
): Promise<FastifyReply> {
  await takePlaceOf(call.takePlace, reply, sender);
  const outcomes = await performLines(call, request.body as Readable);
  request.raw.once('end', () => reply.raw.setTimeout(stalledMs));
  return reply.type('application/x-ndjson').send(outcomes);
}

const kind = { name: 'lines', ofAll: 20, ofUser: 4 };

/** Takes a place until the reply is sent. @throws Refusal when there is none */
async function takePlaceOf(takePlace: TakePlace, reply: FastifyReply, sender: Identity): Promise<void> {
  const place = await takePlace(kind, sender);
  if (place.full === 'user')
    throw new Refusal(
      'TOO_MANY_REQUESTS',
      `You send ${place.held} bodies of lines already, as many as a user may at a time.`,
      {
        retryAfter: 10,
      },
    );
  if (place.full)
    throw new Refusal(
      'UNAVAILABLE',
      'This server receives many bodies of lines already. Send this one again later.',
      {
        retryAfter: 10,
      },
    );
  finished(reply.raw, place.release);
}

/**
 * Performs an operation for a body of any length, some lines at a time, each time all or nothing in a transaction of its own. What became
 * of each line is written as a line as soon as it is on disk. The outcomes wait on disk for their reader, who may be busy sending.
 * @throws Refusal when already the first lines are refused for what is in no line
 */
async function performLines(call: LinesCall, body: Readable): Promise<Readable> {
  const spool = await Spool.open();
  const portions = portionsOf(body);
  const outcomes = spool.read();
  try {
    if (!(await performNext(call, portions, spool)))
      throw new Refusal('INVALID_REQUEST', 'There are no lines in the body. Send an item of JSON on each.');
  } catch (error) {
    spool.end();
    outcomes.destroy();
    body.resume();
    throw error;
  }
  void performRest(call, { portions, spool, body });
  return outcomes;
}

interface Rest {
  readonly portions: AsyncGenerator<Line[]>;
  readonly spool: Spool;
  readonly body: Readable;
}

// Their reader has taken none of them for long.
const mostOutcomes = 1024 ** 3;

async function performRest(call: LinesCall, { portions, spool, body }: Rest): Promise<void> {
  let error: Error | undefined;
  try {
    while (await performNext(call, portions, spool)) {
      if (spool.size > mostOutcomes)
        throw new Refusal(
          'TOO_LARGE',
          'The outcomes take too much room. Read them while you send, or send less at a time.',
        );
    }
  } catch (failure) {
    // A sender who has gone reads nothing. To others it is said in a last line, which is about no line of theirs.
    if (body.readableAborted || body.destroyed) error = failure as Error;
    else
      await spool.write(outcomeOf(undefined, toRefusal(failure))).catch((full: Error) => void (error = full));
  } finally {
    spool.end(error);
    body.resume();
  }
}

/** Performs the operation for the next lines. @returns whether there were any */
async function performNext(
  call: LinesCall,
  portions: AsyncGenerator<Line[]>,
  spool: Spool,
): Promise<boolean> {
  const next = await portions.next();
  if (next.done) return false;
  const lines = next.value;
  const outcomes = await performPortion(call, lines);
  const written = lines.flatMap(({ number }) => outcomes.get(number) ?? []);
  await spool.write(Buffer.concat(written));
  return true;
}

interface Line {
  /** In the body, from 1. */
  readonly number: number;
  readonly bytes: Buffer;
}

/** A line that can be read. */
interface Member {
  readonly number: number;
  readonly value: unknown;
}

/** The outcome of each line by its number. Those that are in the way of others are left out, until the others can be stored. */
async function performPortion(call: LinesCall, lines: readonly Line[]): Promise<Map<number, Buffer>> {
  const outcomes = new Map<number, Buffer>();
  let members = await readMembers(call, lines, outcomes);
  while (members.length > 0) {
    const refused = await performOnce(call, members, outcomes);
    members = members.filter(({ number }) => !refused.has(number));
  }
  return outcomes;
}

async function readMembers(
  { list, reader }: LinesCall,
  lines: readonly Line[],
  outcomes: Map<number, Buffer>,
): Promise<Member[]> {
  const members: Member[] = [];
  for (const { number, bytes } of lines) {
    try {
      if (bytes.length > longestLine) throw tooLong();
      const value = await inSlices(readJson(bytes));
      await inSlices(reader.body({ [list]: [value] }));
      members.push({ number, value });
    } catch (error) {
      outcomes.set(number, outcomeOf(number, toRefusal(error)));
    }
  }
  return members;
}

/** Performs the operation for all of these. @returns the numbers of those that have an outcome now */
async function performOnce(
  { list, perform }: LinesCall,
  members: readonly Member[],
  outcomes: Map<number, Buffer>,
): Promise<Set<number>> {
  try {
    const answer = (await perform({ [list]: members.map(({ value }) => value) })) as { list: { id: Id }[] };
    for (const [index, { number }] of members.entries())
      outcomes.set(number, Buffer.from(`${stringifyJson({ line: number, id: answer.list[index]?.id })}\n`));
    return new Set(members.map(({ number }) => number));
  } catch (error) {
    const refusal = toRefusal(error);
    const byIndex = detailsByIndex(refusal.details ?? []);
    // It is about all of them: the queue is archived, or the database away.
    if (byIndex.size === 0) throw error;
    const refused = new Set<number>();
    for (const [index, details] of byIndex) {
      const number = members[index]?.number ?? 0;
      refused.add(number);
      outcomes.set(
        number,
        outcomeOf(number, new Refusal(refusal.code, '', { details: ofLines(details, members) })),
      );
    }
    return refused;
  }
}

function detailsByIndex(details: readonly ErrorDetail[]): Map<number, ErrorDetail[]> {
  const byIndex = new Map<number, ErrorDetail[]>();
  for (const detail of details)
    if (detail.index !== undefined) byIndex.set(detail.index, [...(byIndex.get(detail.index) ?? []), detail]);
  return byIndex;
}

/** Details in the terms of the sender, who knows lines and no positions among those that were performed together. */
function ofLines(details: readonly ErrorDetail[], members: readonly Member[]): ErrorDetail[] {
  return details.map(({ message, ...detail }) => ({
    ...detail,
    message: message.replace(
      /the item at index (\d+)/,
      (_, index: string) => `line ${members[Number(index)]?.number}`,
    ),
  }));
}

/** What is wrong with a line, or with what has no line. */
function outcomeOf(line: number | undefined, { code, message, details = [] }: Refusal): Buffer {
  const own = details.map(({ index: _, ...detail }) => detail);
  const sentence = own.map((detail) => [detail.field, detail.message].filter(Boolean).join(' ')).join('; ');
  const error = {
    code,
    message: line === undefined || sentence === '' ? message : `${sentence}.`,
    ...(own.length > 0 && { details: own }),
  };
  return Buffer.from(`${stringifyJson({ ...(line !== undefined && { line }), error })}\n`);
}

// As many as one transaction stores without holding others up.
const linesAtOnce = 500;
const bytesAtOnce = 1024 * 1024;
// An item has 1,000,000 characters of data at most, each of up to six bytes.
const longestLine = 8 * 1024 * 1024;

const tooLong = () =>
  new Refusal('TOO_LARGE', `The line is longer than ${longestLine} bytes, more than an item can have.`);

/** The lines of a body, some at a time: as many as are there when the sender pauses, who may wait for what becomes of them. */
async function* portionsOf(body: Readable): AsyncGenerator<Line[]> {
  let [lines, size, number] = [[] as Line[], 0, 0];
  let rest: Buffer[] = [];
  const end = (last: Buffer) => {
    const bytes = withoutReturn(Buffer.concat([...rest, last]));
    rest = [];
    number += 1;
    if (bytes.length > 0) lines.push({ number, bytes });
    size += bytes.length;
  };
  for await (const chunk of body as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      end(chunk.subarray(from, at));
      from = at + 1;
      if (lines.length < linesAtOnce && size < bytesAtOnce) continue;
      yield lines;
      [lines, size] = [[], 0];
    }
    // What is longer than a line can be is let go; its length alone is remembered, by one byte too many.
    if (from < chunk.length) rest = bounded([...rest, chunk.subarray(from)]);
    if (lines.length === 0 || body.readableLength > 0) continue;
    yield lines;
    [lines, size] = [[], 0];
  }
  if (rest.length > 0) end(Buffer.alloc(0));
  if (lines.length > 0) yield lines;
}

function bounded(pieces: Buffer[]): Buffer[] {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return length <= longestLine ? pieces : [Buffer.alloc(longestLine + 1)];
}

function withoutReturn(bytes: Buffer): Buffer {
  return bytes.at(-1) === 13 ? bytes.subarray(0, -1) : bytes;
}
