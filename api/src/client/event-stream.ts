import { ConnectionError, connectionError, refusal } from './errors.ts';
import { addressOf, type Request, type Transport } from './request.ts';

/** A part of a stream of server-sent events: a message, or only the stream's present position. */
export interface StreamMessage {
  /** The position to resume after it. */
  readonly id: string | undefined;
  /** The kind of the message. */
  readonly event: string | undefined;
  /** Undefined where the part has only the position. */
  readonly data: string | undefined;
}

// The server sends something every 15 seconds. After this long a silence the connection is dead, whatever it looks like.
const silenceMs = 45_000;

/** A connection to a stream. */
export interface StreamOptions {
  /** The position to resume from. */
  readonly lastId: string | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Called whenever something came. */
  readonly onHeard: () => void;
}

/**
 * Opens a stream and reads it until it ends.
 * @throws ApiError when it is refused, ConnectionError when there is no answer or none any more, or the signal's reason
 */
export async function openEvents(
  { url, fetch }: Transport,
  { operation, call, token }: Request,
  { lastId, signal, onHeard }: StreamOptions,
): Promise<AsyncGenerator<StreamMessage>> {
  const address = addressOf(url, operation, call);
  const headers: Record<string, string> = { accept: 'text/event-stream, application/json' };
  if (token !== undefined) headers['x-authorization'] = token;
  if (lastId !== undefined) headers['last-event-id'] = lastId;
  const connection = listening(url, signal, onHeard);
  try {
    const response = await fetch(address, { method: operation.method, headers, signal: connection.signal });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    if (response.ok && isStream && response.body) return readMessages(url, response.body, connection);
    throw refusal(address, response.status, await response.text(), response.headers.get('retry-after'));
  } catch (error) {
    connection.end();
    throw signal.aborted ? signal.reason : asConnectionError(url, error);
  }
}

type Connection = ReturnType<typeof listening>;

/** Cuts a connection that has fallen silent. */
function listening(url: string, signal: AbortSignal, onHeard: () => void) {
  const controller = new AbortController();
  const giveUp = () => controller.abort(signal.reason);
  const cut = () => controller.abort(silent(url));
  let timer = setTimeout(cut, silenceMs);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  return {
    signal: controller.signal,
    heard: () => {
      onHeard();
      clearTimeout(timer);
      timer = setTimeout(cut, silenceMs);
    },
    end: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    },
  };
}

async function* readMessages(
  url: string,
  body: ReadableStream<Uint8Array>,
  { signal, heard, end }: Connection,
): AsyncGenerator<StreamMessage> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      const blocks = (rest + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/);
      rest = blocks.pop() ?? '';
      yield* blocks.map(messageOf);
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : asConnectionError(url, error);
  } finally {
    end();
    // A reader that stops must not leave the server sending.
    await reader.cancel().catch(() => undefined);
  }
}

function messageOf(block: string): StreamMessage {
  const valuesOf = (name: string) =>
    block
      .split(/\r?\n/)
      .flatMap((line) => (line.startsWith(`${name}:`) ? [line.replace(/^\w+: ?/, '')] : []));
  const data = valuesOf('data');
  const [id, event] = [valuesOf('id').at(-1), valuesOf('event').at(-1)];
  return { id, event, data: data.length === 0 ? undefined : data.join('\n') };
}

function asConnectionError(url: string, error: unknown): unknown {
  return error instanceof TypeError || (error as Error).name === 'AbortError'
    ? connectionError(url, error)
    : error;
}

function silent(url: string): ConnectionError {
  const why = `the stream has been silent for ${String(silenceMs / 1000)} seconds`;
  return new ConnectionError(url, why, 'Check the network in between, and proxies that hold answers back.');
}
