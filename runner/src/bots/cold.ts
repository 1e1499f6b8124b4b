import { stringifyJson } from '@millrace/api';
import { BusinessError } from '../errors.ts';
import type { Handler, WorkItem } from '../item.ts';
import { tooLarge } from '../report.ts';
import { settle, type Answer } from './answer.ts';
import { execute, type Command, type Ended } from './command.ts';
import { describeExit, describeTimeout, withTail } from './exit.ts';
import { readOutput } from './output.ts';

/** Starts the command for each item: the item on stdin, its outcome by stdout and the exit code. */
export function coldHandler(command: Command, businessExitCode: number): Handler {
  return async (item, work) => {
    const env = { ...command.env, ...variablesOf(item) };
    const ended = await execute({ ...command, env }, `${stringifyJson(item)}\n`, work);
    if (ended.stoppedBy === 'signal') throw work.signal.reason;
    return settle(answerOf(ended, command, businessExitCode), work);
  };
}

function variablesOf({ id, queueId, retryCount, runAsUser }: WorkItem): Record<string, string> {
  return {
    MILLRACE_ITEM_ID: String(id),
    MILLRACE_QUEUE_ID: String(queueId),
    MILLRACE_RETRY_COUNT: String(retryCount ?? 0),
    ...(runAsUser && { MILLRACE_RUN_AS_USER: runAsUser.username }),
  };
}

/** @throws BusinessError or Error, for commands that did not succeed. */
function answerOf(ended: Ended, command: Command, businessExitCode: number): Answer {
  const { exitCode, stdout, stderr, report } = ended;
  const trouble = troubleOf(ended, command);
  if (trouble !== undefined) throw new Error(withTail(trouble, stderr));
  if (exitCode === 0 && report !== undefined) return report;
  if (exitCode === 0) return completed(readOutput(stdout));
  if (exitCode === businessExitCode) throw new BusinessError(stderr || describeExit(ended));
  throw new Error(withTail(describeExit(ended), stderr || 'It wrote nothing to stderr.'));
}

function completed(output: object | undefined): Answer {
  return { status: 'COMPLETE', ...(output && { output }) };
}

/** The reason why the runner stopped it. */
function troubleOf({ stoppedBy, wrong }: Ended, command: Command): string | undefined {
  if (stoppedBy === 'timeout') return describeTimeout(command.timeoutSeconds);
  if (stoppedBy === 'output') return tooLarge(command.maxOutputBytes);
  if (stoppedBy === 'control') return `What it said on its control pipe cannot be taken: ${wrong ?? ''}`;
  return undefined;
}
