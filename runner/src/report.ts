import { parseJson, stringifyJson } from '@millrace/api';
import { BusinessError, Cancelled, Defer, GiveBack } from './errors.ts';
import type { Report, WorkItem } from './item.ts';

type Held = Pick<WorkItem, 'id' | 'version'>;

// Limits of the contract.
const maxError = 10_000;
const maxComment = 4_000;
const maxReason = 1_000;
const maxTag = 100;
const maxTags = 50;

/** Remarks on an item beside its outcome. */
interface Remarks {
  readonly tags: readonly string[];
  readonly resultText: string;
  /** Undefined when the server has it already. */
  readonly logTail: string | undefined;
}

/**
 * The report of an item that is done.
 * @throws Error when the output is no object, too large, or not to be written as JSON.
 */
export function completion({ id, version }: Held, output: unknown, maxBytes: number): Report {
  if (output === undefined || output === null) return { id, version, status: 'COMPLETE' };
  if (typeof output !== 'object' || Array.isArray(output)) {
    const kind = Array.isArray(output) ? 'a list' : `a ${typeof output}`;
    throw new TypeError(`The output is ${kind}; it must be an object, or nothing.`);
  }
  return { id, version, status: 'COMPLETE', output: storable(output, maxBytes) };
}

/** A copy of the output, so that unstorable values fail here and later changes of the handler are not sent. */
function storable(output: object, maxBytes: number): Record<string, unknown> {
  try {
    const text = stringifyJson(output);
    if (Buffer.byteLength(text) <= maxBytes) return parseJson(text) as Record<string, unknown>;
  } catch (error) {
    // The stack overflows at a depth that depends on the machine.
    if (!(error instanceof RangeError)) throw error;
    throw new Error('The output is nested too deep to be stored. Flatten it.', { cause: error });
  }
  throw new RangeError(tooLarge(maxBytes));
}

/** The report of an item whose handler threw. */
export function failure({ id, version }: Held, error: unknown): Report {
  if (error instanceof Defer) return deferral({ id, version }, error);
  if (error instanceof GiveBack) return returned({ id, version }, error.message);
  const failureKind = error instanceof BusinessError ? 'BUSINESS' : 'SYSTEM';
  return { id, version, status: 'FAILED', failureKind, error: cleanText(textOf(error), maxError) };
}

/** The report of an item that is given back untried. */
export function returned({ id, version }: Held, reason: string): Report {
  return { id, version, status: 'NEW', reason: cleanText(reason, maxReason) };
}

/** The report with its remarks, within the limits of the server. */
export function withRemarks(report: Report, { tags, resultText, logTail }: Remarks): Report {
  const words = [...new Set(tags.map((tag) => cleanText(tag, maxTag)))].filter((tag) => tag !== '');
  return {
    ...report,
    ...(words.length > 0 && { tags: words.slice(0, maxTags) }),
    ...(resultText !== '' && { resultText: cleanText(resultText, maxReason) }),
    ...(logTail !== undefined && { logTail }),
  };
}

/** Replaces a report that the server cannot read: the item fails, and people see why. */
export function unreadable({ id, version }: Report, why: string): Report {
  const error = cleanText(`The server refused the report of the runner: ${why}`, maxError);
  return { id, version, status: 'FAILED', failureKind: 'SYSTEM', error };
}

/** Text that the server accepts: without NUL and broken characters, and not too long. */
export function cleanText(text: string, maxLength: number): string {
  return text
    .slice(0, maxLength)
    .replaceAll('\0', '')
    .replace(/\p{Surrogate}/gu, '\ufffd');
}

export function tooLarge(maxBytes: number): string {
  return `The output is larger than the ${String(maxBytes)} bytes that the runner accepts (maxOutputBytes).`;
}

function deferral(held: Held, { until, message }: Defer): Report {
  if (until !== undefined && Number.isNaN(until.getTime())) {
    return failure(held, new RangeError('Defer was given a date that is none.'));
  }
  return {
    ...held,
    status: 'DEFERRED',
    ...(until && { deferredUntil: until.toISOString() }),
    ...(message !== '' && { comment: cleanText(message, maxComment) }),
  };
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isNamed = error instanceof BusinessError || error instanceof Cancelled || error.name === 'Error';
  return isNamed && error.message !== '' ? error.message : `${error.name}: ${error.message}`;
}
