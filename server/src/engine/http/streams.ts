import type { ServerResponse } from 'node:http';
import { Readable, finished } from 'node:stream';
import { stringifyJson } from '@millrace/api';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Refusal, toRefusal } from '../errors.ts';
import type { Identity } from '../operation.ts';
import type { Full, Kind, TakePlace } from '../places.ts';
import type { Aside, StreamPart } from '../stream-part.ts';

const heartbeatMs = 15_000;
// A reader that takes nothing for this long is cut off; it resumes when it comes back.
const stalledMs = 60_000;
// When the server stops, a reader has this long to take the parts already sent.
const graceMs = 500;

/** The reader of a stream. */
type Reader = Pick<Identity, 'userId' | 'tenantUuid'>;

/** Opens a stream that lasts until the signal aborts. */
export type OpenParts = (signal: AbortSignal) => Promise<AsyncIterable<StreamPart>>;

/** Opens a stream and sends its parts. */
export type SendStream = (reply: FastifyReply, reader: Reader, open: OpenParts) => Promise<FastifyReply>;

interface StreamParts {
  readonly takePlace: TakePlace;
  /** Aborts when this process leaves its streams to others, where their readers resume them. */
  readonly leaving: AbortSignal;
}

/** Streams of server-sent events: a limited number at a time, none of which keeps the server from stopping. */
export function createEventStreams(
  http: FastifyInstance,
  limit: number,
  { takePlace, leaving }: StreamParts,
): SendStream {
  const streams = new Set<Ending>();
  http.addHook('preClose', async () => {
    for (const { stop } of streams) stop();
  });
  // One listener for all: of one for each stream, Node would warn the operator as of a leak.
  leaving.addEventListener('abort', () => {
    for (const { end } of streams) end();
  });
  return async (reply, reader, open) => {
    const place = await takePlace(kindOf(limit), reader);
    if (place.full) throw tooMany(place, limit);
    const { raw, log } = reply;
    const ending = endingOf(raw, streams, leaving.aborted);
    finished(raw, place.release);
    const parts = await open(ending);
    raw.setTimeout(stalledMs);
    // A connection kept for the next request would keep the server from stopping.
    reply.type('text/event-stream').headers({ 'x-accel-buffering': 'no', connection: 'close' });
    const explain = (error: unknown) => {
      const refusal = toRefusal(error);
      if (refusal !== error) log.warn({ err: error }, 'a stream of events broke off');
      return refusal.message;
    };
    return reply.send(Readable.from(eventStream(parts, explain)));
  };
}

/** The ways to end an open stream. */
interface Ending {
  /** Once its reader has what was sent. */
  readonly end: () => void;
  /** The same, and cuts it off where that takes too long. */
  readonly stop: () => void;
}

/** A signal that aborts when the stream has to end: its reader has gone, this process leaves it to others, or the server stops. */
function endingOf(raw: ServerResponse, streams: Set<Ending>, isLeaving: boolean): AbortSignal {
  const ending = new AbortController();
  const end = () => ending.abort();
  const stop = () => {
    end();
    setTimeout(() => raw.destroy(), graceMs).unref();
  };
  const stream = { end, stop };
  streams.add(stream);
  if (isLeaving) end();
  finished(raw, () => {
    streams.delete(stream);
    end();
  });
  return ending.signal;
}

/**
 * The parts as text, one chunk each: the next is read when the reader has taken the one before. While nothing happens, a line now and then
 * shows that the stream is alive, and the place from which to resume it.
 * @param explain puts the error that ends the stream into words for the reader
 */
export async function* eventStream(
  parts: AsyncIterable<StreamPart>,
  explain: (error: unknown) => string,
): AsyncGenerator<string> {
  let sentOn = -Infinity;
  let told: readonly string[] = [];
  try {
    for await (const { list, cursor, asides = [] } of parts) {
      const beside = asides.map(frameBeside);
      const former = told;
      const frames = [...list.map(frame), ...beside.filter((one) => !former.includes(one))];
      told = beside;
      const isSilent = frames.length === 0;
      if (isSilent && performance.now() - sentOn < heartbeatMs) continue;
      yield isSilent ? `: waiting\nid: ${cursor}\n\n` : frames.join('');
      sentOn = performance.now();
    }
  } catch (error) {
    yield `: ${explain(error).replaceAll('\n', ' ')}\n\n`;
  }
}

function frame(event: StreamPart['list'][number]): string {
  return `id: ${event.cursor}\nevent: ${event.operation}\ndata: ${stringifyJson(event)}\n\n`;
}

/** Without an id: a reader resumes after the last message, whatever asides came since. */
function frameBeside({ kind, data }: Aside): string {
  return `event: ${kind}\ndata: ${stringifyJson(data)}\n\n`;
}

// Enough for the windows and programs of one person; more would leave none to others.
const streamsOfUser = 20;

/** Users and tenants share the streams of a server, and no tenant gets more than three quarters of them. */
const kindOf = (limit: number): Kind => ({
  name: 'streams',
  ofAll: limit,
  ofTenant: Math.ceil(limit * 0.75),
  ofUser: streamsOfUser,
});

function tooMany({ full, held }: Full, limit: number): Refusal {
  const messages = {
    user: `You read ${held} streams already, as many as a user may. Close one first.`,
    tenant: `Your tenant reads ${held} streams already, as many as it may at one server. Try again later.`,
    all: `This server carries ${limit} streams already, as many as MILLRACE_MAX_STREAMS allows. Try again later, or at another server.`,
  };
  return new Refusal('UNAVAILABLE', messages[full], { retryAfter: 10 });
}
