import type { Input, Operation, OperationId, Output, Schemas, Streamed } from './operation.ts';
import { operations } from './generated/operations.ts';
import { openDownload, type DownloadedFile } from './client/download.ts';
import { ApiError } from './client/errors.ts';
import {
  send,
  withinTime,
  type AnyCall,
  type CallOptions,
  type Request,
  type Transport,
} from './client/request.ts';
import { createSession, type ClientSession } from './client/session.ts';
import { follow, type Connect, type FollowOptions } from './client/stream.ts';
import { openEvents } from './client/event-stream.ts';

export interface ClientOptions {
  /** The address of the server, such as `http://127.0.0.1:8080`; a path is kept. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Instead of a password; wins when both are given. */
  readonly apiKey?: string | undefined;
  /** A token from an earlier log-in. With credentials beside it the client logs in when the token is refused. */
  readonly token?: string | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Called with each new token, so that it can be kept for the next program. */
  readonly onToken?: ((token: string) => void) | undefined;
}

/** The input of an operation; parts that may be empty may be left out. */
export type Call<O extends OperationId> = Part<'path', Input<O>['path']> &
  Part<'query', Input<O>['query']> &
  BodyPart<O>;

type Part<Name extends string, Value> =
  Record<never, never> extends Value ? { readonly [N in Name]?: Value } : { readonly [N in Name]: Value };
type BodyPart<O extends OperationId> = (typeof operations)[O] extends { body: null }
  ? { readonly body?: undefined }
  : (typeof operations)[O] extends { body: 'file' }
    ? { readonly body: { readonly file: Blob } }
    : (typeof operations)[O] extends { bodyRequired: true }
      ? { readonly body: Input<O>['body'] }
      : { readonly body?: Input<O>['body'] | undefined };

type Method<O extends OperationId> = (typeof operations)[O] extends { effect: 'stream' }
  ? StreamMethod<O>
  : (typeof operations)[O] extends { effect: 'download' }
    ? DownloadMethod<O>
    : Record<never, never> extends Call<O>
      ? (call?: Call<O>, options?: CallOptions) => Promise<Output<O>>
      : (call: Call<O>, options?: CallOptions) => Promise<Output<O>>;

/**
 * The parts of a stream, for as long as it is iterated. When the connection breaks, the server stops or the token ends, it connects again
 * and goes on where it was: nothing is lost or repeated. It throws ApiError when the server refuses, and ConnectionError when the server
 * cannot be reached at the beginning; later it keeps trying.
 */
type StreamMethod<O extends OperationId> = (
  call?: Call<O>,
  options?: FollowOptions,
) => AsyncIterableIterator<Streamed<O>>;

/** A download, answered as soon as it begins to come. */
type DownloadMethod<O extends OperationId> = (
  call: Call<O>,
  options?: Pick<CallOptions, 'signal'>,
) => Promise<DownloadedFile>;

/** Calls an operation chosen at run time; its input and answer are in the contract. For a stream it answers the iterable. */
export type AnyMethod = (operationId: OperationId, call?: AnyCall, options?: CallOptions) => Promise<unknown>;

/** Every operation of the contract as a method. */
export type Client = { readonly [O in OperationId]: Method<O> } & { readonly call: AnyMethod };

// Public operations that are about the caller's own token.
const aboutToken: ReadonlySet<string> = new Set<OperationId>([
  'validateToken',
  'refreshToken',
  'openSession',
  'logOut',
]);
const thatGive: ReadonlySet<string> = new Set<OperationId>([
  'logIn',
  'finishSignOn',
  'refreshToken',
  'exchangeSession',
]);
const thatEnd: ReadonlySet<string> = new Set<OperationId>(['logOut', 'closeSession']);
const logInSeconds = 30;

/**
 * A client for a Millrace server, in Node and in browsers alike.
 *
 * It logs in at the first call that needs it, renews its token before it expires, and after a 401 logs in again and
 * repeats the call once. Every method rejects with ApiError when the server refuses, ConnectionError when there is no
 * answer, and the signal's reason when it was given up.
 * @throws TypeError when the URL is none
 */
export function createClient(options: ClientOptions): Client {
  const transport = { url: baseUrl(options.url), fetch: options.fetch ?? globalThis.fetch };
  const session = sessionFor(transport, options);
  const stream = (operation: Operation, input: AnyCall, streamOptions?: FollowOptions) =>
    follow(connector(transport, session, operation), input, streamOptions);
  const call: AnyMethod = async (operationId, input = {}, callOptions = {}) => {
    const operation: Operation = operations[operationId];
    if (operation.effect === 'stream') return stream(operation, input, { signal: callOptions.signal });
    if (operation.effect === 'download')
      return signed(session, (token) =>
        openDownload(transport, { operation, call: input, token }, callOptions.signal),
      );
    const answer = await withinTime(callOptions, transport.url, (signal) => {
      const { idempotencyKey } = callOptions;
      const sendIt: Send = (token) =>
        send(transport, { operation, call: input, token, idempotencyKey }, signal);
      if (operation.permission !== 'public') return signed(session, sendIt);
      return sendIt(aboutToken.has(operationId) ? session.known() : undefined);
    });
    if (thatGive.has(operationId)) session.adopt((answer as Schemas['Session']).token);
    if (thatEnd.has(operationId)) session.forget();
    return answer;
  };
  return { ...methodsOf(call, stream), call } as Client;
}

/** Builds the methods. A stream is answered at once, before it begins: that happens when it is iterated. */
function methodsOf(
  call: AnyMethod,
  stream: (operation: Operation, input: AnyCall, options?: FollowOptions) => AsyncIterable<unknown>,
): object {
  const methodOf = ([id, operation]: [string, Operation]) =>
    operation.effect === 'stream'
      ? (input: AnyCall = {}, options: FollowOptions = {}) => stream(operation, input, options)
      : (input?: AnyCall, options?: CallOptions) => call(id as OperationId, input, options);
  return Object.fromEntries(
    Object.entries<Operation>(operations).map((entry) => [entry[0], methodOf(entry)]),
  );
}

function connector(transport: Transport, session: ClientSession, operation: Operation): Connect {
  // While a stream is open no call would renew the token, and one that has expired cannot be renewed.
  const onHeard = () => void session.current().catch(() => undefined);
  return (call, lastId, signal) =>
    signed(session, (token) =>
      openEvents(transport, { operation, call, token }, { lastId, signal, onHeard }),
    );
}

type Send<T = unknown> = (token: string | undefined) => Promise<T>;

async function signed<T>(session: ClientSession, sendIt: Send<T>): Promise<T> {
  const token = await session.current();
  try {
    return await sendIt(token);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    const other = await session.insteadOf(token);
    if (other === undefined) throw error;
    return sendIt(other);
  }
}

function sessionFor(transport: Transport, options: ClientOptions): ClientSession {
  const { username, password, apiKey, token, onToken } = options;
  const credentials = {
    operation: operations.logIn,
    call: { body: { username, password, apiKey } },
    token: undefined,
  };
  const hasCredentials = username !== undefined && (password ?? apiKey) !== undefined;
  const source = {
    logIn: hasCredentials ? () => tokenFrom(transport, credentials) : undefined,
    refresh: (old: string) =>
      tokenFrom(transport, { operation: operations.refreshToken, call: {}, token: old }),
  };
  return createSession(source, token, onToken);
}

async function tokenFrom(transport: Transport, request: Request): Promise<string> {
  const options = { timeoutSeconds: logInSeconds };
  const answer = await withinTime(options, transport.url, (signal) => send(transport, request, signal));
  return (answer as Schemas['Session']).token;
}

function baseUrl(url: string): string {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    throw new TypeError(`url is "${url}", but must be like http://127.0.0.1:8080`);
  }
  return url.replace(/\/+$/, '');
}
