import type { Operation } from '../operation.ts';
import { parseJson, stringifyJson } from '../json.ts';
import { ConnectionError, connectionError, refusal } from './errors.ts';

/** The input of any operation. */
export interface AnyCall {
  readonly path?: object | undefined;
  readonly query?: object | undefined;
  readonly body?: unknown;
}

export interface CallOptions {
  /** Gives the call up; it then rejects with the reason of the signal. */
  readonly signal?: AbortSignal | undefined;
  /** A name for the call, under which it is done once: sent again with it, the call gets the first answer. */
  readonly idempotencyKey?: string | undefined;
  /** The time in seconds for a whole answer; then the call rejects with a ConnectionError. */
  readonly timeoutSeconds?: number | undefined;
}

/** An operation with its input, and on whose behalf it is called. */
export interface Request {
  readonly operation: Operation;
  readonly call: AnyCall;
  readonly token: string | undefined;
  readonly idempotencyKey?: string | undefined;
}

export interface Transport {
  /** Without a slash at the end. */
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Sends one request and reads the whole answer.
 * @throws ApiError, ConnectionError, or the reason of the signal
 */
export async function send(
  { url, fetch }: Transport,
  { operation, call, token, idempotencyKey }: Request,
  signal: AbortSignal,
): Promise<unknown> {
  const address = addressOf(url, operation, call);
  const { headers, body } = contentOf(operation, call.body);
  if (token !== undefined) headers['x-authorization'] = token;
  if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey;
  const answer = await exchange({ url, fetch }, address, {
    method: operation.method,
    headers,
    body: body ?? null,
    signal,
  });
  // Another success says that the work goes on after the answer.
  if (answer.status < 200 || answer.status > 299) throw refusal(address, answer.status, answer.text);
  if (answer.status === 204) return undefined;
  return readAnswer(address, answer);
}

/** The address of a call, with its parameters. @throws TypeError when a parameter of the path is missing */
export function addressOf(url: string, operation: Operation, call: AnyCall): string {
  return url + pathOf(operation.path, call.path ?? {}) + queryOf(call.query ?? {});
}

async function exchange({ url, fetch }: Transport, address: string, init: RequestInit) {
  try {
    const response = await fetch(address, init);
    return { status: response.status, text: await response.text() };
  } catch (error) {
    if (init.signal?.aborted === true) throw init.signal.reason;
    throw connectionError(url, error);
  }
}

function pathOf(template: string, values: object): string {
  const entries = new Map(Object.entries(values));
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = textOf(entries.get(name));
    if (value === '') throw new TypeError(`path.${name} is missing; ${template} needs it`);
    return encodeURIComponent(value);
  });
}

function queryOf(values: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    const text = textOf(value);
    if (text !== '') query.append(name, text);
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : stringifyJson(value);
}

/** The body of a request, and the headers that go with it. */
export function contentOf(operation: Operation, body: unknown) {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body === undefined || operation.body === null) return { headers, body: undefined };
  if (operation.body === 'file') return { headers, body: formOf(body) };
  headers['content-type'] = 'application/json';
  return { headers, body: stringifyJson(body) };
}

function formOf(body: unknown): FormData {
  const form = new FormData();
  const file = typeof body === 'object' && body !== null && 'file' in body ? body.file : undefined;
  if (!(file instanceof Blob)) throw new TypeError('body.file must be a Blob or a File');
  form.append('file', file);
  return form;
}

function readAnswer(address: string, { status, text }: { status: number; text: string }): unknown {
  try {
    return parseJson(text);
  } catch {
    throw refusal(address, status, text);
  }
}

/**
 * Gives a piece of work the time and the signal of the caller; it ends with them even where the work does not listen.
 * A controller for each call: `AbortSignal.any` on a signal that lives as long as the program leaks on older Node versions.
 */
export async function withinTime<T>(
  { signal, timeoutSeconds }: CallOptions,
  url: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const giveUp = () => controller.abort(signal?.reason);
  const late = () => controller.abort(timeOut(url, timeoutSeconds));
  const timer = timeoutSeconds === undefined ? undefined : setTimeout(late, timeoutSeconds * 1000);
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([aborted(controller.signal), work(controller.signal)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
}

function timeOut(url: string, seconds: number | undefined): ConnectionError {
  const why = `nothing came within ${String(seconds)} seconds`;
  return new ConnectionError(
    url,
    why,
    'Check that the server is not overloaded, and the network in between.',
  );
}
