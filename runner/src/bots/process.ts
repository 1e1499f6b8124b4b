import { spawn, type ChildProcess } from 'node:child_process';
import type { Duplex, Readable, Writable } from 'node:stream';
import { RunnerFault } from '../errors.ts';
import { endGroup, joinGroup, ownGroup, signalGroup } from './process-group.ts';

/** A program to run. */
export interface Program {
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string | undefined;
  /** Between asking it to end and killing it. */
  readonly killGraceSeconds: number;
}

/** The end of a process. */
export interface Exit {
  readonly exitCode: number | null;
  /** The signal that ended it. */
  readonly signal: NodeJS.Signals | null;
}

/** A program at work, in a process group of its own. */
export interface BotProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** File descriptor 3 of the program, for both ways. */
  readonly control: Duplex;
  /** Asks the group to end, and kills it when it has not done so after the grace; at once when it is urgent. */
  readonly stop: (isUrgent?: boolean) => void;
  /**
   * Resolves when the group is gone and all its output was read.
   * @throws RunnerFault when the program cannot be started here.
   */
  readonly ended: Promise<Exit>;
}

/** Tells a program the descriptor of its control pipe. */
const controlVariable = { MILLRACE_CONTROL: '3' };

// Output of processes that outlive the program is read for this long; the pipes they keep open must not hold the item.
const leftoverSeconds = 1;

export function startProcess(program: Program): BotProcess {
  const [file = '', ...rest] = program.command;
  const { cwd } = program;
  const env = { ...program.env, ...controlVariable };
  const stdio = ['pipe', 'pipe', 'pipe', 'pipe'] as const;
  const child = spawn(file, rest, { env, cwd, detached: ownGroup, stdio: [...stdio], windowsHide: true });
  joinGroup(child);
  const [stdin, stdout, stderr, control] = child.stdio as unknown as [Writable, Readable, Readable, Duplex];
  // A program need not read its input; then the pipe breaks.
  for (const stream of [stdin, control]) stream.on('error', () => undefined);
  const { stop, clear } = createStopper(child, program.killGraceSeconds);
  const ended = endOf(child, [stdout, stderr, control]).finally(() => {
    clear();
    endGroup(child);
  });
  // A caller that awaits the end gets the failure; without one it must not count as unhandled.
  ended.catch(() => undefined);
  return { stdin, stdout, stderr, control, stop, ended };
}

function createStopper(child: ChildProcess, graceSeconds: number) {
  let timer: NodeJS.Timeout | undefined;
  // The number of a process that has ended may belong to another one by now.
  let isOver = false;
  return {
    clear: () => {
      isOver = true;
      clearTimeout(timer);
    },
    stop: (isUrgent = false) => {
      if (isOver) return;
      if (isUrgent) signalGroup(child, 'SIGKILL');
      if (isUrgent || timer !== undefined) return;
      signalGroup(child, 'SIGTERM');
      timer = setTimeout(() => signalGroup(child, 'SIGKILL'), graceSeconds * 1000);
    },
  };
}

function endOf(child: ChildProcess, streams: readonly (Readable | Duplex)[]): Promise<Exit> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    child.once('error', (error: NodeJS.ErrnoException) => reject(startFailure(child, error)));
    child.once('exit', () => {
      timer = setTimeout(() => {
        signalGroup(child, 'SIGKILL');
        for (const stream of streams) stream.destroy();
      }, leftoverSeconds * 1000);
    });
    child.once('close', (exitCode, signal) => {
      clearTimeout(timer);
      resolve({ exitCode, signal });
    });
  });
}

// With a program that is missing, every item of the queue would fail one after the other.
function startFailure({ spawnfile }: ChildProcess, error: NodeJS.ErrnoException): Error {
  if (!['ENOENT', 'EACCES', 'ENOTDIR'].includes(error.code ?? '')) return error;
  const message = `Cannot start "${spawnfile}" (${error.message}). Check the command, the folder it runs in, and PATH.`;
  return new RunnerFault(message, { cause: error });
}
