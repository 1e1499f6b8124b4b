import { Readable, finished } from 'node:stream';
import { stringifyJson } from '@millrace/api';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Identity } from '../auth/tokens.ts';
import { Refusal, toRefusal } from '../errors.ts';
import type { StreamPart } from '../streams.ts';

const heartbeatMs = 15_000;
// A reader that takes nothing for so long is cut; it resumes when it comes back.
const stalledMs = 60_000;
// So long, when the server stops, a reader may take what was sent.
const graceMs = 500;

/** Who reads a stream. */
export type Reader = Pick<Identity, 'userId' | 'tenantUuid'>;

/** Opens a stream, until the signal aborts. */
export type OpenParts = (signal: AbortSignal) => Promise<AsyncIterable<StreamPart>>;

/** Sends what a stream answers, once it is open. */
export type SendStream = (reply: FastifyReply, reader: Reader, open: OpenParts) => Promise<FastifyReply>;

/** Streams of server-sent events: so many at a time, none of which keeps the server from stopping. */
export function createEventStreams(http: FastifyInstance, limit: number): SendStream {
  const stops = new Map<() => void, Reader>();
  http.addHook('preClose', async () => {
    for (const stop of stops.keys()) stop();
  });
  return async (reply, reader, open) => {
    refuseTooMany([...stops.values()], reader, limit);
    const { raw, log } = reply;
    const ending = new AbortController();
    const stop = () => {
      ending.abort();
      setTimeout(() => raw.destroy(), graceMs).unref();
    };
    stops.set(stop, reader);
    finished(raw, () => {
      stops.delete(stop);
      ending.abort();
    });
    const parts = await open(ending.signal);
    raw.setTimeout(stalledMs);
    // A connection that were kept for the next request would keep the server from stopping.
    reply.type('text/event-stream').headers({ 'x-accel-buffering': 'no', connection: 'close' });
    const tellWhy = (error: unknown) => {
      const refusal = toRefusal(error);
      if (refusal !== error) log.warn({ err: error }, 'a stream of events broke off');
      return refusal.message;
    };
    return reply.send(Readable.from(eventStream(parts, tellWhy)));
  };
}

/**
 * The parts as text, one chunk each: the next is read when the reader has taken the one before. Where nothing
 * happens, the reader hears now and then that the stream is alive, and from where to resume it.
 * @param tellWhy what the reader is told of what ends the stream
 */
export async function* eventStream(
  parts: AsyncIterable<StreamPart>,
  tellWhy: (error: unknown) => string,
): AsyncGenerator<string> {
  let sentOn = -Infinity;
  try {
    for await (const { list, cursor } of parts) {
      const isSilent = list.length === 0;
      if (isSilent && Date.now() - sentOn < heartbeatMs) continue;
      yield isSilent ? `: waiting\nid: ${cursor}\n\n` : list.map(frame).join('');
      sentOn = Date.now();
    }
  } catch (error) {
    yield `: ${tellWhy(error).replaceAll('\n', ' ')}\n\n`;
  }
}

function frame(event: StreamPart['list'][number]): string {
  return `id: ${event.cursor}\nevent: ${event.operation}\ndata: ${stringifyJson(event)}\n\n`;
}

// So many windows and programs of one person; what carries them all would leave nobody else any.
const streamsOfUser = 20;

/** All that a server carries are shared: by users, and by tenants, of whom none gets more than three quarters. */
function refuseTooMany(open: readonly Reader[], { userId, tenantUuid }: Reader, limit: number): void {
  const ofTenant = open.filter((one) => one.tenantUuid === tenantUuid);
  const ofUser = ofTenant.filter((one) => one.userId === userId);
  if (ofUser.length >= streamsOfUser)
    throw tooMany(`You read ${ofUser.length} streams already, as many as a user may. Close one first.`);
  if (ofTenant.length >= Math.ceil(limit * 0.75))
    throw tooMany(
      `Your tenant reads ${ofTenant.length} streams already, as many as it may at one server. Try again later.`,
    );
  if (open.length >= limit)
    throw tooMany(
      `This server carries ${limit} streams already, as many as MILLRACE_MAX_STREAMS allows. Try again later, or at another server.`,
    );
}

function tooMany(message: string): Refusal {
  return new Refusal('UNAVAILABLE', message, { retryAfter: 10 });
}
