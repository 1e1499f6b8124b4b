import { parseJson } from '../json.ts';
import type { Schemas } from '../operation.ts';
import { ApiError, ConnectionError } from './errors.ts';
import type { StreamMessage } from './event-stream.ts';
import type { AnyCall } from './request.ts';

/** Opens a connection that goes on behind a message. */
export type Connect = (
  call: AnyCall,
  lastId: string | undefined,
  signal: AbortSignal,
) => Promise<AsyncIterable<StreamMessage>>;

export interface FollowOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the progress of uploads, which is not on record. */
  readonly onProgress?: ((progress: Schemas['UploadProgress']) => void) | undefined;
}

const shortestPauseMs = 500;
const longestPauseMs = 30_000;
/** Of messages beside the events: no operation has that name. */
const ofProgress = 'uploadProgress';

/**
 * The parts of a stream, over as many connections as it takes.
 * @throws ApiError when it is refused, ConnectionError when the first connection cannot be made, or the signal's reason
 */
export async function* follow<T>(
  connect: Connect,
  call: AnyCall,
  { signal = new AbortController().signal, onProgress }: FollowOptions = {},
): AsyncGenerator<T, undefined> {
  let lastId: string | undefined;
  let pauseMs = shortestPauseMs;
  const heard = ({ id, event, data }: StreamMessage) => {
    lastId = id ?? lastId;
    pauseMs = shortestPauseMs;
    if (event === ofProgress && data !== undefined)
      onProgress?.(parseJson(data) as Schemas['UploadProgress']);
  };
  for (;;) {
    signal.throwIfAborted();
    try {
      yield* readFrom<T>(await connect(call, lastId, signal), heard);
    } catch (error) {
      if (lastId === undefined || !mayPass(error)) throw error;
      pauseMs = Math.max(pauseMs, error instanceof ApiError ? (error.retryAfter ?? 0) * 1000 : 0);
    }
    // Not all at once: all clients of a server come back at the same time.
    await pause(pauseMs * (0.75 + Math.random() / 2), signal);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

async function* readFrom<T>(
  messages: AsyncIterable<StreamMessage>,
  heard: (message: StreamMessage) => void,
): AsyncGenerator<T> {
  for await (const message of messages) {
    heard(message);
    if (message.data !== undefined && message.event !== ofProgress) yield parseJson(message.data) as T;
  }
}

/** Whether the stream can be had again later: the server is away, or has too much to do. */
function mayPass(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  return error instanceof ApiError && (error.status >= 500 || error.status === 429);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    signal.addEventListener('abort', wake);
    if (signal.aborted) wake();
  });
}
