import { Refusal } from './errors.ts';
import { createLimiter, type Limiter } from './limiter.ts';
import { sleep } from './sleep.ts';
import type { StreamPart } from './stream-part.ts';
import type { WakeUps } from './wake-ups.ts';

/** Reads the part after a cursor, with a check of permissions. @throws Refusal when the reader may not read any more. */
type ReadPart = (cursor: string | undefined) => Promise<StreamPart>;

/** Opens a stream with its first part. @throws the errors of reading it. */
export type OpenStream = (read: ReadPart, signal: AbortSignal) => Promise<AsyncIterable<StreamPart>>;

// Between two reads of a busy feed, and of an idle one. Taking a right away ends a stream as soon.
const shortestMs = 200;
const longestMs = 5000;
// All streams wake together: they must not take the connections away from requests.
const readingAtOnce = 2;

/**
 * Streams pull: each reads its next part when the one before was taken, and waits for a wake-up when there is no more.
 * @param limitReads the limiter of all reads
 */
export function createStreams(wakeUps: WakeUps, limitReads: Limiter): OpenStream {
  const limitStreams = createLimiter({ atOnce: readingAtOnce, waiting: Infinity, refusal: tooMany });
  return async (read, signal) => {
    const readLimited = (cursor: string | undefined) => limitStreams(() => limitReads(() => read(cursor)));
    const since = wakeUps.notifications;
    return follow(await readLimited(undefined), since, { read: readLimited, wakeUps, signal });
  };
}

interface Source {
  readonly read: ReadPart;
  readonly wakeUps: WakeUps;
  readonly signal: AbortSignal;
}

async function* follow(first: StreamPart, sinceFirst: number, { read, wakeUps, signal }: Source) {
  let part = first;
  let since = sinceFirst;
  let waitMs = shortestMs;
  while (!signal.aborted) {
    yield part;
    if (!part.isMore) {
      // The end of the older transaction causes no wake-up: look again soon, and less often the longer it takes.
      waitMs = part.isBehind ? Math.min(2 * waitMs, longestMs) : shortestMs;
      await sleep(Math.max(shortestMs, part.restMs ?? 0), signal);
      await wakeUps.wait(['events'], since, part.isBehind ? waitMs - shortestMs : longestMs, signal);
    }
    if (signal.aborted) return;
    since = wakeUps.notifications;
    part = await read(part.cursor);
  }
}

function tooMany(): Refusal {
  return new Refusal('UNAVAILABLE', 'Too many streams wait for the database. Try again.', { retryAfter: 1 });
}
