import type { IncomingMessage } from 'node:http';
import { finished, type Readable } from 'node:stream';
import type { Operation } from '@millrace/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal, toRefusal } from '../errors.ts';
import { keyReused } from '../idempotency.ts';
import type { Identity } from '../operation.ts';
import type { TakePlace } from '../places.ts';
import { Spool } from '../spool.ts';
import { LineReader, type Line } from './line-reader.ts';
import { CutOtherwise, outcomeOf, performPortion, textOf, type Done, type LinesCall } from './line-calls.ts';

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

// What becomes of each is kept for a day.
const mostKeptLines = 1_000_000;

function refuseMany(lines: readonly Line[]): void {
  if ((lines.at(-1)?.number ?? 0) > mostKeptLines)
    throw new Refusal(
      'TOO_LARGE',
      `A body with an Idempotency-Key has ${mostKeptLines} lines at most. Send the others as a body of their own, with another key.`,
    );
}
