import type { Readable } from 'node:stream';
import { RunnerStopped } from '../errors.ts';
import type { Work } from '../item.ts';
import type { Answer } from './answer.ts';
import { serveControl } from './control.ts';
import { readLines } from './lines.ts';
import { startProcess, type Exit, type Program } from './process.ts';

/** A command to run for one item. */
export interface Command extends Program {
  readonly timeoutSeconds: number;
  readonly maxOutputBytes: number;
}

export type StopReason = 'timeout' | 'output' | 'control' | 'signal';

/** The end of a command. */
export interface Ended extends Exit {
  readonly stdout: string;
  /** The last part of it. */
  readonly stderr: string;
  /** The reason why the runner stopped it. */
  readonly stoppedBy: StopReason | undefined;
  /** The reason why a line on the control pipe could not be read. */
  readonly wrong: string | undefined;
  /** The report it gave on the control pipe. */
  readonly report: Answer | undefined;
}

type Hands = Pick<Work, 'signal' | 'log' | 'progress' | 'pointOfNoReturn'>;

/** The last characters of stderr that become part of an error. */
export const stderrCharacters = 8_000;

/**
 * Runs a command in a process group of its own, which is gone when this resolves.
 * @throws RunnerFault when the program cannot be started here.
 */
export async function execute(command: Command, stdin: string, work: Hands): Promise<Ended> {
  const process = startProcess(command);
  let stoppedBy: StopReason | undefined;
  const stop = (why: StopReason, isUrgent = false) => {
    stoppedBy ??= why;
    process.stop(isUrgent);
  };
  const stdout = collect(process.stdout, command.maxOutputBytes, () => stop('output'));
  const stderr = follow(process.stderr, work.log);
  const said = { report: undefined as Answer | undefined, wrong: undefined as string | undefined };
  serveControl(process.control, {
    work: () => work,
    onReport: (report) => (said.report = report),
    onWrong: (why) => {
      said.wrong ??= why;
      stop('control');
    },
  });
  const forget = stopInTime(work.signal, command.timeoutSeconds, stop);
  process.stdin.end(stdin);
  const exit = await process.ended.finally(forget);
  return { ...exit, ...said, stdout: stdout(), stderr: stderr(), stoppedBy };
}

/** Stops when the time is up or the signal is aborted. @returns a function that cancels both */
export function stopInTime(
  signal: AbortSignal,
  seconds: number,
  stop: (why: 'timeout' | 'signal', isUrgent?: boolean) => void,
): () => void {
  const timer = setTimeout(() => stop('timeout'), seconds * 1000);
  const letGo = () => stop('signal', signal.reason instanceof RunnerStopped && signal.reason.isUrgent);
  signal.addEventListener('abort', letGo, { once: true });
  if (signal.aborted) letGo();
  return () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', letGo);
  };
}

/** Gathers stdout; calls `onTooMuch` and keeps no more when it is too large. */
function collect(stdout: Readable, maxBytes: number, onTooMuch: () => void): () => string {
  const parts: Buffer[] = [];
  let bytes = 0;
  stdout.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes > maxBytes) onTooMuch();
    else parts.push(part);
  });
  return () => Buffer.concat(parts).toString();
}

/** Passes stderr on, line by line, and keeps the end of it. */
function follow(stderr: Readable, log: (text: string) => void): () => string {
  let tail = '';
  readLines(stderr, stderrCharacters, {
    onLine: (line) => {
      tail = `${tail}${line}\n`.slice(-stderrCharacters);
      log(line);
    },
  });
  return () => tail.trim();
}
