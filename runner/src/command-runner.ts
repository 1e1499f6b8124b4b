import { stringifyJson } from '@millrace/api';
import { execute, type Command, type Ended } from './bots/command.ts';
import { inheritedEnvironment } from './config.ts';
import { BusinessError } from './errors.ts';
import type { Summary } from './events.ts';
import type { Handler, WorkItem } from './item.ts';
import { checkRange, settingsOf, type RunOptions } from './options.ts';
import { readOutput } from './bots/output.ts';
import { tooLarge } from './report.ts';
import { run } from './run.ts';

/** What is run for each item. */
export interface CommandOptions extends RunOptions {
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[];
  /** Folder to run it in. */
  readonly cwd?: string | undefined;
  /** Added to the environment of the runner, from which the MILLRACE_ settings are taken out. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** How long one item may take; 3600 when left out. */
  readonly timeoutSeconds?: number | undefined;
  /** Between asking a command to end and killing it; from 0 to 10; 5 when left out. */
  readonly killGraceSeconds?: number | undefined;
  /** The exit code that means: failed on business grounds, do not try again; 65 (EX_DATAERR) when left out. */
  readonly businessExitCode?: number | undefined;
}

const defaultBusinessExitCode = 65;

/**
 * Runs a command for each item of a queue: the item as JSON on stdin, its output as JSON from stdout, its outcome by the exit
 * code.
 * @throws as `run` does
 */
export async function runCommand(options: CommandOptions): Promise<Summary> {
  return run(options, commandHandler(options));
}

function commandHandler(options: CommandOptions): Handler {
  const command = commandOf(options);
  const businessExitCode = options.businessExitCode ?? defaultBusinessExitCode;
  checkRange('businessExitCode', businessExitCode, 1, 255);
  return async (item, { signal, log }) => {
    const env = { ...command.env, ...variablesOf(item) };
    const ended = await execute({ ...command, env }, `${stringifyJson(item)}\n`, { signal, log });
    if (ended.stoppedBy === 'signal') throw signal.reason;
    return outcomeOf(ended, command, businessExitCode);
  };
}

function commandOf(options: CommandOptions): Command {
  const { command, cwd, env, timeoutSeconds = 3600, killGraceSeconds = 5 } = options;
  if (command.length === 0 || command[0] === '')
    throw new RangeError('command is empty; give a program to run.');
  checkRange('timeoutSeconds', timeoutSeconds, 0.001, 2_000_000);
  checkRange('killGraceSeconds', killGraceSeconds, 0, 10);
  const { maxOutputBytes } = settingsOf(options);
  return {
    command,
    cwd,
    env: { ...inheritedEnvironment(), ...env },
    timeoutSeconds,
    killGraceSeconds,
    maxOutputBytes,
  };
}

function variablesOf({ id, queueId, retryCount }: WorkItem): Record<string, string> {
  return {
    MILLRACE_ITEM_ID: String(id),
    MILLRACE_QUEUE_ID: String(queueId),
    MILLRACE_RETRY_COUNT: String(retryCount ?? 0),
  };
}

/** @throws BusinessError or Error, for commands that did not succeed. */
function outcomeOf(ended: Ended, command: Command, businessExitCode: number): object | undefined {
  const { exitCode, signal, stdout, stderr, stoppedBy } = ended;
  if (stoppedBy === 'timeout') {
    const what = `Timed out after ${String(command.timeoutSeconds)} seconds; the command and all it had started were killed.`;
    throw new Error(withTail(what, stderr));
  }
  if (stoppedBy === 'output') throw new Error(withTail(tooLarge(command.maxOutputBytes), stderr));
  if (exitCode === 0) return readOutput(stdout);
  if (exitCode === businessExitCode) throw new BusinessError(stderr || `Exit code ${String(exitCode)}.`);
  const what = signal === null ? `Exit code ${String(exitCode)}.` : `Ended by ${signal}.`;
  throw new Error(withTail(what, stderr || 'It wrote nothing to stderr.'));
}

function withTail(what: string, stderr: string): string {
  return stderr === '' ? what : `${what}\n${stderr}`;
}
