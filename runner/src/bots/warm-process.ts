import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseJson, stringifyJson } from '@millrace/api';
import type { Work, WorkItem } from '../item.ts';
import { readAnswer, type Answer } from './answer.ts';
import { stderrCharacters, stopInTime, type Command } from './command.ts';
import { serveControl } from './control.ts';
import { describeExit, describeTimeout, withTail } from './exit.ts';
import { readLines } from './lines.ts';
import { startProcess, type BotProcess } from './process.ts';

/** A process that does one item after another. */
export interface WarmProcess {
  readonly command: Command;
  readonly process: BotProcess;
  /** Called with events outside of items. */
  readonly note: (text: string) => void;
  task: Task | undefined;
  /** Items that it was given so far. */
  items: number;
  /** The reason why it was stopped. */
  trouble: string | undefined;
}

/** The item at hand. */
interface Task {
  readonly item: WorkItem;
  readonly work: Work;
  readonly answer: (value: object) => void;
  readonly fail: (error: unknown) => void;
  isAnswered: boolean;
  /** The last part of stderr. */
  tail: string;
}

// The room for the other members of an answer, beside its output.
const answerCharacters = 100_000;

/** The process takes no more items: it has closed its stdin before it could read the one at hand. */
export class InputClosed extends Error {
  override readonly name = 'InputClosed';
}

export function startWarmProcess(command: Command, note: (text: string) => void): WarmProcess {
  const process = startProcess(command);
  const warm: WarmProcess = { command, process, note, task: undefined, items: 0, trouble: undefined };
  readLines(process.stdout, command.maxOutputBytes + answerCharacters, {
    onLine: (line) => hear(warm, line),
    onTooLong: () =>
      end(warm, `Its answer is longer than maxOutputBytes (${String(command.maxOutputBytes)}).`),
  });
  readLines(process.stderr, stderrCharacters, { onLine: (line) => log(warm, line) });
  serveControl(process.control, {
    work: () => (warm.task?.isAnswered === false ? warm.task.work : undefined),
    onWrong: (why) => end(warm, `What it said on its control pipe cannot be taken: ${why}`),
  });
  process.ended.then(
    (exit) =>
      warm.task?.fail(
        new Error(warm.trouble ?? `The process ended before it answered. ${describeExit(exit)}`),
      ),
    (error: unknown) => warm.task?.fail(error),
  );
  return warm;
}

/**
 * Has the process do an item. When this throws because of a time-out, a crash or an answer out of turn, the process is gone.
 * @throws Error, or the reason of the signal; InputClosed when the item was not begun, and another process should do it.
 */
export async function doItem(warm: WarmProcess, item: WorkItem, work: Work): Promise<Answer> {
  const { command, process } = warm;
  warm.items += 1;
  const answered = new Promise<object>((answer, fail) => {
    warm.task = { item, work, answer, fail, isAnswered: false, tail: '' };
  });
  const forget = stopInTime(work.signal, command.timeoutSeconds, (why, isUrgent) =>
    end(warm, why === 'timeout' ? describeTimeout(command.timeoutSeconds) : 'It was stopped.', isUrgent),
  );
  process.stdin.write(`${stringifyJson(item)}\n`, (error) => error && notRead(warm));
  try {
    const answer = await answered;
    // Earlier output on stderr belongs to this item and is read in the same turn.
    await nextTurn();
    return readAnswer(answer);
  } catch (error) {
    if (work.signal.aborted) throw work.signal.reason;
    throw error instanceof Error && warm.task ? withStderr(error, warm.task.tail) : error;
  } finally {
    forget();
    warm.task = undefined;
  }
}

/**
 * A process that has done items may be finished, and another one takes the item; a process that never reads would be started again and
 * again.
 */
function notRead(warm: WarmProcess): void {
  if (warm.items > 1) warm.task?.fail(new InputClosed());
  else end(warm, 'It closed its stdin before it had read the item.');
}

function withStderr(error: Error, tail: string): Error {
  error.message = withTail(error.message, tail.trim());
  return error;
}

function end(warm: WarmProcess, why: string, isUrgent = false): void {
  if (warm.task === undefined && warm.trouble === undefined) warm.note(`ended: ${why}`);
  warm.trouble ??= why;
  warm.process.stop(isUrgent);
}

function log({ task, note }: WarmProcess, line: string): void {
  if (task === undefined) return note(line);
  task.tail = `${task.tail}${line}\n`.slice(-stderrCharacters);
  task.work.log(line);
}

/** Takes a line of stdout, which must be the answer to the item at hand. */
function hear(warm: WarmProcess, line: string): void {
  const { task, trouble } = warm;
  if (line.trim() === '' || trouble !== undefined) return;
  const shown = line.length > 200 ? `${line.slice(0, 200)}...` : line;
  if (task === undefined || task.isAnswered)
    return end(warm, `It wrote to stdout while there was no item. Write logs to stderr. It wrote: ${shown}`);
  const value = readObject(line);
  const { id, ...answer } = value ?? {};
  if (value === undefined || String(id) !== String(task.item.id))
    return end(
      warm,
      `It was to answer item ${String(task.item.id)} with one line of JSON. It wrote: ${shown}`,
    );
  task.isAnswered = true;
  task.answer(answer);
}

function readObject(line: string): Record<string, unknown> | undefined {
  try {
    const value = parseJson(line);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
