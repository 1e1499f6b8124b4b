import type { IncomingMessage } from 'node:http';
import { finished, type Readable } from 'node:stream';
import { stringifyJson, type Id, type Operation } from '@millrace/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestReader } from '../contract.ts';
import { Refusal, toRefusal, type ErrorCode, type ErrorDetail } from '../errors.ts';
import { keyReused, Repeated, type IdempotencyKey, type KeptPart } from '../idempotency.ts';
import { readJson } from '../json/read.ts';
import type { Identity } from '../operation.ts';
import type { TakePlace } from '../places.ts';
import { inSlices } from '../slices.ts';
import { Spool } from '../spool.ts';
import { LineReader, longestLine, type Line } from './line-reader.ts';

/** Whether a body comes as lines of JSON, of any number. */
export function isOfLines({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return /^application\/(x-)?ndjson\b/i.test(headers['content-type'] ?? '');
}

/** Refuses a body of lines for an operation without lists. */
export function refuseLines({ lines }: Operation, request: FastifyRequest): void {
  if (!isOfLines(request)) return;
  if (lines === null)
    throw new Refusal(
      'UNSUPPORTED_MEDIA_TYPE',
      'This operation takes no lines of JSON. Send the body as JSON, with the header Content-Type: application/json.',
    );
}

/** Leaves a body of lines as a stream. */
export function receiveLines(_: FastifyRequest, body: IncomingMessage): Promise<IncomingMessage> {
  return Promise.resolve(body);
}

// A reader that takes nothing for this long after the last line was sent is cut off.
const stalledMs = 120_000;

/** Performs an operation for the lines of a request, and answers the outcome of each. */
export async function sendLines(
  request: FastifyRequest,
  reply: FastifyReply,
  sender: Identity,
  { takePlace, ...call }: LinesCall & { readonly takePlace: TakePlace },
): Promise<FastifyReply> {
  await takePlaceOf(takePlace, reply, sender);
  const { outcomes, isReplayed } = await performLines(call, request.body as Readable);
  if (isReplayed) reply.header('idempotency-replayed', 'true');
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
 * Performs an operation for a body of any length, some lines at a time, each portion all or nothing in a transaction of its own. The
 * outcome of each line is written as a line as soon as it is on disk. The outcomes wait on disk for their reader, who may be busy sending.
 * @throws Refusal when the first lines already are refused for a reason that concerns no single line
 */
async function performLines(call: LinesCall, body: Readable) {
  const spool = await Spool.open();
  const reader = new LineReader(body);
  const outcomes = spool.read();
  try {
    const first = await performNext(call, reader, 0);
    if (!first)
      throw new Refusal('INVALID_REQUEST', 'There are no lines in the body. Send an item of JSON on each.');
    await spool.write(Buffer.from(first.outcomes));
    void performRest(call, { reader, spool, body });
    return { outcomes, isReplayed: first.isReplayed };
  } catch (error) {
    spool.end();
    outcomes.destroy();
    body.resume();
    throw error;
  }
}

interface Rest {
  readonly reader: LineReader;
  readonly spool: Spool;
  readonly body: Readable;
}

// Reached only when the reader has taken none of them for long.
const mostOutcomes = 1024 ** 3;

async function performRest(call: LinesCall, { reader, spool, body }: Rest): Promise<void> {
  let error: Error | undefined;
  try {
    for (let part = 1; ; part += 1) {
      const done = await performNext(call, reader, part);
      if (!done) break;
      await spool.write(Buffer.from(done.outcomes));
      if (spool.size > mostOutcomes)
        throw new Refusal(
          'TOO_LARGE',
          'The outcomes take too much room. Read them while you send, or send less at a time.',
        );
    }
  } catch (failure) {
    // A sender who has gone reads nothing. Others learn of the failure in a last line without a line number.
    if (body.readableAborted) error = failure as Error;
    else
      await spool
        .write(Buffer.from(textOf([outcomeOf(undefined, toRefusal(failure))])))
        .catch((full: Error) => void (error = full));
  } finally {
    spool.end(error);
    body.resume();
  }
}

/** Performs the operation for the next lines. @returns nothing when there were none */
async function performNext(call: LinesCall, reader: LineReader, part: number): Promise<Done | undefined> {
  const { key } = call;
  const lines = await reader.next();
  if (lines.length === 0 && (part === 0 || !key)) return undefined;
  if (key) refuseMany(lines);
  let done = await performPortion(call, lines, part);
  // Lines are kept as they were cut by the pauses of the sender then.
  if (done instanceof CutOtherwise && done.last !== undefined && lines.length > 0)
    done = await performPortion(call, await reader.until(done.last, lines), part);
  if (done instanceof CutOtherwise) throw keyReused(key?.key ?? '');
  return lines.length > 0 ? done : undefined;
}

// The outcome of each is kept for a day.
const mostKeptLines = 1_000_000;

function refuseMany(lines: readonly Line[]): void {
  if ((lines.at(-1)?.number ?? 0) > mostKeptLines)
    throw new Refusal(
      'TOO_LARGE',
      `A body with an Idempotency-Key has ${mostKeptLines} lines at most. Send the others as a body of their own, with another key.`,
    );
}

/** An operation that makes something of each member of a list. */
interface LinesCall {
  /** The member of the body that has the list. */
  readonly list: string;
  readonly reader: RequestReader;
  /**
   * Performs the operation for some of the members: for all of them, or for none.
   * @returns its answer, or Repeated with what is kept under the key
   * @throws Refusal that names those that are in the way
   */
  readonly perform: (body: object, key: IdempotencyKey | undefined) => Promise<unknown>;
  /** Under which what becomes of the lines is kept, portion by portion. */
  readonly key: LinesKey | undefined;
}

/** The outcome of some lines, as lines; and whether an earlier call with the same key was told it. */
interface Done {
  readonly outcomes: string;
  readonly isReplayed: boolean;
}

/** More or fewer lines are kept as this portion of the body. */
class CutOtherwise {
  /** The number of the last of them; undefined where the body had ended before. */
  readonly last: number | undefined;

  constructor(last: number | undefined) {
    this.last = last;
  }
}

/** The outcome of a line. */
interface Outcome {
  readonly line?: number;
  readonly id?: Id | undefined;
  readonly error?: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly details?: readonly ErrorDetail[];
  };
}

/** By the number of the line. */
type Outcomes = Map<number, Outcome>;

/** A line that can be read. */
interface Member {
  readonly number: number;
  readonly value: unknown;
}

/**
 * Performs the operation for a portion of the lines. Those that are in the way of others are left out, until the others can be stored.
 * @param part how many portions came before
 */
async function performPortion(
  call: LinesCall,
  lines: readonly Line[],
  part: number,
): Promise<Done | CutOtherwise> {
  const outcomes: Outcomes = new Map();
  const keyFor = await keyOfPortion(call, { lines, part, outcomes });
  let members = await readMembers(call, lines, outcomes);
  // With a key also for none: that keeps what became of lines that are all refused, and that the body has ended.
  while (members.length > 0 || call.key) {
    const some = members;
    const { answer, refused } = await performOnce(call, some, keyFor(some));
    if (answer instanceof Repeated) return keptOf(answer.answer as KeptPart | undefined, lines);
    for (const [number, outcome] of refused ?? created(some, answer)) outcomes.set(number, outcome);
    if (!refused) break;
    members = some.filter(({ number }) => !refused.has(number));
  }
  return { outcomes: textOf(inOrder(lines, outcomes)), isReplayed: false };
}

interface Portion {
  readonly lines: readonly Line[];
  readonly part: number;
  /** Of those that are refused, until the others are stored. */
  readonly outcomes: Outcomes;
}

async function keyOfPortion({ key }: LinesCall, { lines, part: number, outcomes }: Portion) {
  if (!key) return () => undefined;
  const named = { key: key.key, hash: await key.hashOf(lines) };
  const last = lines.at(-1)?.number;
  return (members: readonly Member[]): IdempotencyKey => {
    const kept = (answer: unknown) => {
      const all = new Map([...outcomes, ...created(members, answer)]);
      return keptText(inOrder(lines, all));
    };
    return { ...named, part: { number, last, outcomes: kept } };
  };
}

function keptOf(kept: KeptPart | undefined, lines: readonly Line[]): Done | CutOtherwise {
  if (!kept || kept.last !== lines.at(-1)?.number) return new CutOtherwise(kept?.last);
  return { outcomes: kept.outcomes, isReplayed: true };
}

function inOrder(lines: readonly Line[], outcomes: Outcomes): Outcome[] {
  return lines.flatMap(({ number }) => outcomes.get(number) ?? []);
}

function textOf(outcomes: readonly Outcome[]): string {
  return outcomes.map((outcome) => `${stringifyJson(outcome)}\n`).join('');
}

// Of a portion, for a day.
const mostKept = 256 * 1024;
const longestKept = 200;

/** The outcomes as they are kept: where they take much room, without the details of errors. */
function keptText(outcomes: readonly Outcome[]): string {
  const text = textOf(outcomes);
  if (text.length <= mostKept) return text;
  return textOf(
    outcomes.map(({ error, ...rest }) => ({ ...rest, ...(error && { error: shortened(error) }) })),
  );
}

function shortened({ code, message }: NonNullable<Outcome['error']>) {
  const isLong = message.length > longestKept;
  return { code, message: isLong ? `${message.slice(0, longestKept)}…` : message };
}

async function readMembers(
  { list, reader }: LinesCall,
  lines: readonly Line[],
  outcomes: Outcomes,
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

const tooLong = () =>
  new Refusal('TOO_LARGE', `The line is longer than ${longestLine} bytes, more than an item can have.`);

/** Performs the operation for all of these. @returns its answer, or why some of them are refused */
async function performOnce(
  { list, perform }: LinesCall,
  members: readonly Member[],
  key: IdempotencyKey | undefined,
): Promise<{ readonly answer?: unknown; readonly refused?: Outcomes }> {
  try {
    return { answer: await perform({ [list]: members.map(({ value }) => value) }, key) };
  } catch (error) {
    const refusal = toRefusal(error);
    const byIndex = detailsByIndex(refusal.details ?? []);
    // It is about all of them: the queue is archived, or the database away.
    if (byIndex.size === 0) throw error;
    const refused: Outcomes = new Map();
    for (const [index, own] of byIndex) {
      const number = members[index]?.number ?? 0;
      const details = ofLines(own, members);
      refused.set(number, outcomeOf(number, new Refusal(refusal.code, '', { details })));
    }
    return { refused };
  }
}

/** The outcomes of lines that were stored. */
function created(members: readonly Member[], answer: unknown): Outcomes {
  const { list } = answer as { list: readonly { readonly id: Id }[] };
  return new Map(members.map(({ number }, index) => [number, { line: number, id: list[index]?.id }]));
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

/** The faults of a line, or of a call that has no line. */
function outcomeOf(line: number | undefined, { code, message, details = [] }: Refusal): Outcome {
  const own = details.map(({ index: _, ...detail }) => detail);
  const sentence = own.map((detail) => [detail.field, detail.message].filter(Boolean).join(' ')).join('; ');
  const error = {
    code,
    message: line === undefined || sentence === '' ? message : `${sentence}.`,
    ...(own.length > 0 && { details: own }),
  };
  return { ...(line !== undefined && { line }), error };
}

/** The names of the calls that a body of lines becomes: its key, and a hash of the lines of each. */
export interface LinesKey {
  readonly key: string;
  readonly hashOf: (lines: readonly Line[]) => Promise<string>;
}
