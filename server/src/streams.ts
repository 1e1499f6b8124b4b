import type { Schemas } from '@millrace/api';
import { createTurns, type Turns } from './turns.ts';
import type { Bell } from './dispatch/bell.ts';
import { Refusal } from './errors.ts';
import { sleep } from './sleep.ts';

/** What a stream sends next. */
export interface StreamPart {
  readonly list: readonly Schemas['Event'][];
  /** Where the next part begins. */
  readonly cursor: string;
  /** Whether there is more to read at once. */
  readonly isMore: boolean;
  /** Whether something has happened that cannot be told yet, because an older transaction is under way. */
  readonly isBehind: boolean;
}

/** Reads the part behind a cursor, permissions included. @throws Refusal when the reader may not read any more. */
export type ReadPart = (cursor: string | undefined) => Promise<StreamPart>;

/** Opens a stream with its first part. @throws what reading it throws. */
export type OpenStream = (read: ReadPart, signal: AbortSignal) => Promise<AsyncIterable<StreamPart>>;

// A busy feed is read this often, and one where nothing happens that often: so soon, too, a right that was taken away
// ends a stream.
const shortestMs = 200;
const longestMs = 5000;
// All streams wake together: they must not take the connections away from requests.
const readingAtOnce = 2;

/**
 * Streams pull: each reads its next part when the one before was taken, and waits for the bell when there is no more.
 * @param reads the turns of all that reads
 */
export function createStreams(bell: Bell, reads: Turns): OpenStream {
  const inTurn = createTurns({ atOnce: readingAtOnce, waiting: Infinity, refusal: tooMany });
  return async (read, signal) => {
    const readInTurn = (cursor: string | undefined) => inTurn(() => reads(() => read(cursor)));
    const heard = bell.rings;
    return follow(await readInTurn(undefined), heard, { read: readInTurn, bell, signal });
  };
}

interface Source {
  readonly read: ReadPart;
  readonly bell: Bell;
  readonly signal: AbortSignal;
}

async function* follow(first: StreamPart, heardFirst: number, { read, bell, signal }: Source) {
  let part = first;
  let heard = heardFirst;
  let waitMs = shortestMs;
  while (!signal.aborted) {
    yield part;
    if (!part.isMore) {
      // No bell rings when the older transaction ends: look again soon, and less often the longer it takes.
      waitMs = part.isBehind ? Math.min(2 * waitMs, longestMs) : shortestMs;
      await sleep(shortestMs, signal);
      await bell.wait(['events'], heard, part.isBehind ? waitMs - shortestMs : longestMs, signal);
    }
    if (signal.aborted) return;
    heard = bell.rings;
    part = await read(part.cursor);
  }
}

function tooMany(): Refusal {
  return new Refusal('UNAVAILABLE', 'Too many streams wait for the database. Try again.', { retryAfter: 1 });
}
