import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { RunnerFault, RunnerStopped } from '../errors.ts';
import { endGroup, joinGroup, ownGroup, signalGroup } from './process-group.ts';

/** A command to run for one item. */
export interface Command {
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string | undefined;
  readonly timeoutSeconds: number;
  /** Between asking the command to end and killing it. */
  readonly killGraceSeconds: number;
  readonly maxOutputBytes: number;
}

export type StopReason = 'timeout' | 'output' | 'signal';

/** How a command ended. */
export interface Ended {
  readonly exitCode: number | null;
  /** The signal that ended it. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  /** The last part of it. */
  readonly stderr: string;
  /** Why the runner stopped it. */
  readonly stoppedBy: StopReason | undefined;
}

const stderrCharacters = 8_000;
// Processes that outlive the command may write for so long; what they keep open must not hold the item.
const leftoverSeconds = 1;

interface Hands {
  readonly signal: AbortSignal;
  readonly log: (text: string) => void;
}

/**
 * Runs a command in a process group of its own, which is gone when this resolves.
 * @throws RunnerFault when the program cannot be started here.
 */
export async function execute(command: Command, stdin: string, { signal, log }: Hands): Promise<Ended> {
  const child = start(command);
  joinGroup(child);
  const stopper = createStopper(child, command.killGraceSeconds);
  const stdout = collect(child, command.maxOutputBytes, () => stopper.stop('output'));
  const stderr = follow(child, log);
  const timer = setTimeout(() => stopper.stop('timeout'), command.timeoutSeconds * 1000);
  const letGo = () => stopper.stop('signal', isUrgent(signal.reason));
  signal.addEventListener('abort', letGo, { once: true });
  if (signal.aborted) letGo();
  try {
    feed(child, stdin);
    const { exitCode, signal: endedBy } = await ended(child);
    return { exitCode, signal: endedBy, stdout: stdout(), stderr: stderr(), stoppedBy: stopper.reason() };
  } finally {
    clearTimeout(timer);
    stopper.clear();
    signal.removeEventListener('abort', letGo);
    endGroup(child);
  }
}

function start({ command, env, cwd }: Command): ChildProcessWithoutNullStreams {
  const [program = '', ...rest] = command;
  return spawn(program, rest, { env, cwd, detached: ownGroup, stdio: 'pipe', windowsHide: true });
}

function feed(child: ChildProcessWithoutNullStreams, text: string): void {
  // A command need not read its input; then the pipe breaks.
  child.stdin.on('error', () => undefined);
  child.stdin.end(text);
}

function isUrgent(reason: unknown): boolean {
  return reason instanceof RunnerStopped && reason.isUrgent;
}

function createStopper(child: ChildProcessWithoutNullStreams, graceSeconds: number) {
  let reason: StopReason | undefined;
  let timer: NodeJS.Timeout | undefined;
  return {
    reason: () => reason,
    clear: () => clearTimeout(timer),
    stop(why: StopReason, isAtOnce = false) {
      if (reason !== undefined) return;
      reason = why;
      signalGroup(child, isAtOnce ? 'SIGKILL' : 'SIGTERM');
      timer = setTimeout(() => signalGroup(child, 'SIGKILL'), graceSeconds * 1000);
    },
  };
}

/** Gathers stdout; calls `onTooMuch` and keeps no more when it is too large. */
function collect(
  child: ChildProcessWithoutNullStreams,
  maxBytes: number,
  onTooMuch: () => void,
): () => string {
  const parts: Buffer[] = [];
  let bytes = 0;
  child.stdout.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes > maxBytes) onTooMuch();
    else parts.push(part);
  });
  return () => Buffer.concat(parts).toString();
}

/** Passes stderr on, line by line, and keeps the end of it. */
function follow(child: ChildProcessWithoutNullStreams, log: (text: string) => void): () => string {
  let tail = '';
  let line = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (part: string) => {
    tail = (tail + part).slice(-stderrCharacters);
    const lines = (line + part).split('\n');
    line = lines.pop()?.slice(-stderrCharacters) ?? '';
    lines.forEach(log);
  });
  child.stderr.on('end', () => line !== '' && log(line));
  return () => tail.trim();
}

function ended(child: ChildProcessWithoutNullStreams) {
  return new Promise<Pick<Ended, 'exitCode' | 'signal'>>((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    child.once('error', (error: NodeJS.ErrnoException) => reject(startFailure(child, error)));
    child.once('exit', () => {
      timer = setTimeout(() => {
        signalGroup(child, 'SIGKILL');
        child.stdout.destroy();
        child.stderr.destroy();
      }, leftoverSeconds * 1000);
    });
    child.once('close', (exitCode, signal) => {
      clearTimeout(timer);
      resolve({ exitCode, signal });
    });
  });
}

// With a program that is missing, every item of the queue would fail one after the other.
function startFailure({ spawnfile }: ChildProcessWithoutNullStreams, error: NodeJS.ErrnoException): Error {
  if (!['ENOENT', 'EACCES', 'ENOTDIR'].includes(error.code ?? '')) return error;
  const message = `Cannot start "${spawnfile}" (${error.message}). Check the command, the folder it runs in, and PATH.`;
  return new RunnerFault(message, { cause: error });
}
