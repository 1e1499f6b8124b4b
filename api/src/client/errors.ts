import { parseJson } from '../json.ts';
import type { Schemas } from '../operation.ts';

/** One fault of a request, where there can be several. */
export type ErrorDetail = Schemas['ErrorDetail'];

/** The server answered, and refused. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The HTTP status. */
  readonly status: number;
  /** Stable name of the kind of error, such as NOT_FOUND. */
  readonly code: string;
  /** Each fault, where there can be several. */
  readonly details: readonly ErrorDetail[];
  /** Seconds after which trying again makes sense, where the server says so. */
  readonly retryAfter: number | undefined;
  constructor(status: number, error: Schemas['Error'], retryAfter?: number) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.details = error.details ?? [];
    this.retryAfter = retryAfter;
  }
}

/** There was no answer: the server cannot be reached, the connection broke, or the time for the call ran out. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly url: string;
  constructor(url: string, why: string, check: string, options?: ErrorOptions) {
    super(`No answer from ${url}: ${why}. ${check}`, options);
    this.url = url;
  }
}

/** The error for a failed `fetch`, in words for a person. */
export function connectionError(url: string, error: unknown): ConnectionError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const text = cause instanceof Error ? cause.message : String(cause);
  return new ConnectionError(url, text || code, adviceFor(code), { cause: error });
}

/** The error for an answer other than the promised one, which need not come from Millrace. */
export function refusal(url: string, status: number, text: string, retryAfter?: string | null): ApiError {
  const error = readError(text);
  // The header may hold a date as well, which Millrace never sends.
  const seconds = /^\d+$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined;
  if (error !== undefined) return new ApiError(status, error, seconds);
  const message = `${url} answered ${String(status)} without the JSON of a Millrace server. Check the URL, and any proxy in between.`;
  return new ApiError(status, { code: `HTTP_${String(status)}`, message });
}

function readError(text: string): Schemas['Error'] | undefined {
  try {
    const value = parseJson(text);
    return isError(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isError(value: unknown): value is Schemas['Error'] {
  if (typeof value !== 'object' || value === null || !('code' in value) || !('message' in value))
    return false;
  return typeof value.code === 'string' && typeof value.message === 'string';
}

function adviceFor(code: string): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'Check the host name in the URL.';
  if (code.includes('CERT') || code.includes('TLS') || code.includes('SSL')) {
    return 'Check the certificate of the server, and whether the URL should begin with http: or https:.';
  }
  return 'Check that the server runs there, and the host and port in the URL.';
}
