import { ApiError, ConnectionError, stringifyJson, type ErrorDetail } from '@millrace/api';
import { CommanderError } from 'commander';
import { inCommands } from './command-words.ts';
import { drawColumns } from './table.ts';
import { oneLine, safeLines, type Terminal } from './terminal.ts';

/** Exit codes of commands. */
export const exitCodes = {
  done: 0,
  refused: 1,
  usage: 2,
  unreachable: 3,
  notLoggedIn: 4,
  interrupted: 130,
} as const;

/** The command was given wrongly: nothing was sent. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The person cancelled a question. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** A failure, in words for the person who typed the command. */
export interface Failure {
  readonly exitCode: number;
  /** Stable name of the kind of failure. */
  readonly code: string;
  /** Empty when it was said already. */
  readonly message: string;
  /** The next step, where the message does not say it. */
  readonly advice?: string;
  readonly details?: readonly ErrorDetail[];
}

const logInAdvice =
  'Log in with `millrace login`, or set MILLRACE_USERNAME and MILLRACE_PASSWORD or MILLRACE_API_KEY.';
const usageAdvice = 'Add --help to see what can be given.';
const unreachableAdvice =
  'Start it with `npm start` in its clone, or say where it is with --url or MILLRACE_URL.';

/** The failure that an error means to a person, with its exit code. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CommanderError) return misuseOf(error);
  if (error instanceof UsageError)
    return { exitCode: exitCodes.usage, code: 'USAGE', message: error.message };
  if (error instanceof Interrupted)
    return { exitCode: exitCodes.interrupted, code: 'INTERRUPTED', message: '' };
  if (error instanceof ApiError) return refusalOf(error);
  if (error instanceof ConnectionError) {
    const { message } = error;
    return { exitCode: exitCodes.unreachable, code: 'UNREACHABLE', message, advice: unreachableAdvice };
  }
  const message = isDefect(error) ? (error.stack ?? error.message) : textOf(error);
  return { exitCode: exitCodes.refused, code: 'FAILED', message };
}

/** Writes a failure to stderr; as JSON for programs that asked for JSON. */
export function sayFailure(terminal: Terminal, failure: Failure, asJson: boolean): void {
  const { code, message, advice, details = [] } = failure;
  if (message === '') return;
  if (asJson) return terminal.say(stringifyJson({ code, message, ...(details.length > 0 && { details }) }));
  const { red, bold } = terminal.sayColors;
  // The message may quote a file of somebody else.
  terminal.say(
    `${red(bold(isRefusal(failure) ? `error ${code}` : 'error'))}: ${inCommands(safeLines(message))}`,
  );
  if (saysMore(details, message)) terminal.say(`\n${drawDetails(details)}`);
  if (advice !== undefined) terminal.say(advice);
}

/** Wrong arguments. Where commander has shown the help, nothing more is said. */
function misuseOf({ exitCode, code, message }: CommanderError): Failure {
  if (exitCode === 0) return { exitCode: exitCodes.done, code: 'USAGE', message: '' };
  const misuse = { exitCode: exitCodes.usage, code: 'USAGE' };
  if (code === 'commander.help') return { ...misuse, message: '' };
  return { ...misuse, message: message.replace(/^error: /, ''), advice: usageAdvice };
}

/** Whether the server said it; its codes are in the contract. */
function isRefusal({ code }: Failure): boolean {
  return !['USAGE', 'FAILED', 'UNREACHABLE'].includes(code);
}

function refusalOf({ status, code, message, details }: ApiError): Failure {
  const advice = adviceOf(details);
  if (status !== 401)
    return { exitCode: exitCodes.refused, code, message, details, ...(advice && { advice }) };
  return { exitCode: exitCodes.notLoggedIn, code, message, details, advice: logInAdvice };
}

/** Advice for a file that its queue has already. */
function adviceOf(details: readonly ErrorDetail[]): string | undefined {
  const { queueId, uploadId } = details.find((one) => one.uploadId !== undefined) ?? {};
  if (queueId === undefined || uploadId === undefined) return undefined;
  const place = `${String(queueId)} ${String(uploadId)}`;
  return `To see it: millrace queue upload ${place}. To undo it: millrace queue undo-upload ${place}. To have both: add --again.`;
}

/** Whether the details add something to the message. */
function saysMore(details: readonly ErrorDetail[], message: string): boolean {
  return details.length > 1 || details.some((detail) => !message.includes(detail.message));
}

function drawDetails(details: readonly ErrorDetail[]): string {
  const isFile = details.some(({ row }) => row !== undefined);
  const columns = {
    QUEUE: details.map(({ queueId }) => queueId),
    ITEM: details.map(({ itemId }) => itemId),
    ROW: details.map(({ row }) => row),
    INDEX: details.map(({ index }) => index),
    [isFile ? 'COLUMN' : 'FIELD']: details.map(({ field }) => field),
    REASON: details.map(({ message }) => message),
  };
  const known = Object.entries(columns).filter(([, values]) => values.some((value) => value !== undefined));
  return drawColumns(
    known.map(([name, values]) => ({ name, cells: values.map((value) => oneLine(String(value ?? ''))) })),
    (head) => head,
  );
}

/** Errors that only a defect of this program causes; their stack helps to mend it. */
function isDefect(error: unknown): error is Error {
  return error instanceof TypeError || error instanceof ReferenceError;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
