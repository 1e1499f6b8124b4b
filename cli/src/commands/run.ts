import { createClient, stringifyJson } from '@millrace/api';
import type { CommandOptions, Summary } from '@millrace/runner';
import { InvalidArgumentError, type Command } from 'commander';
import { clientOptions } from '../access.ts';
import { printFields } from '../answer.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { UsageError, exitCodes } from '../errors.ts';
import { wholeNumberFrom } from '../flags.ts';
import { createLiveLine } from '../live-line.ts';
import { idOf } from '../names.ts';
import { hasLoss, watchRunner } from '../run-watch.ts';

interface RunFlags extends CallFlags {
  readonly queue: string;
  readonly slots: number;
  readonly leaseSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly drainSeconds?: number;
  readonly businessExitCode?: number;
  readonly deviceId?: string;
  readonly warm?: boolean;
}

/** `millrace run`: a runner that starts a command for each item. */
export function addRun(program: Command, context: Context): Command {
  const command = program
    .command('run')
    .summary('Process the items of a queue with a command')
    .description(
      'Take items from a queue and run a command for each: the item as JSON on stdin, its output as JSON from stdout. Exit ' +
        'code 0 completes the item, 65 fails it on business grounds for good, any other fails it on technical grounds, to be tried ' +
        'again. The last lines of stderr become the reason. Ctrl-C or SIGTERM: no more items, running ones end; twice: stops at once.',
    )
    .usage('--queue <queue> [options] -- <command> [args...]')
    .argument('<command...>', 'What to run for each item, after --; no shell reads it')
    .requiredOption('--queue <queue>', 'Name or id of the queue')
    .option('--slots <n>', 'Items at once', wholeNumberFrom(1, 1000), 1)
    .option(
      '--lease-seconds <n>',
      'How long an item stays with a runner that died (60)',
      wholeNumberFrom(1, 86_400),
    )
    .option('--timeout-seconds <n>', 'How long one item may take (3600)', readSeconds)
    .option('--drain-seconds <n>', 'How long to wait for running items when told to stop (60)', readSeconds)
    .option('--business-exit-code <n>', 'The exit code of a business failure (65)', wholeNumberFrom(1, 255))
    .option('--warm', 'Keep the command running and give it one item after another, as lines of JSON')
    .option(
      '--device-id <device>',
      'A device that you registered, by host name or id; recorded with the items',
    );
  return addCallFlags(command).action((words: string[]) =>
    runQueue(context, words, command.optsWithGlobals()),
  );
}

async function runQueue(
  { config, terminal }: Context,
  words: readonly string[],
  flags: RunFlags,
): Promise<void> {
  const { url, json, deviceId, ...options } = flags;
  const line = createLiveLine(terminal);
  const watch = watchRunner(line, flags.queue);
  const access = clientOptions(config, url);
  const device = deviceId && { deviceId: await idOf(createClient(access), 'device', deviceId) };
  try {
    const summary = await startAgent({
      ...access,
      ...options,
      ...device,
      command: words,
      onEvent: watch.onEvent,
    });
    watch.end();
    if (json === true) terminal.out(stringifyJson(summary));
    else printFields(terminal, { ...summary });
    if (hasLoss(summary)) process.exitCode = exitCodes.refused;
  } finally {
    watch.end();
  }
}

// The runner is loaded here, so that no other command waits for it.
async function startAgent(options: CommandOptions): Promise<Summary> {
  const { runCommand } = await import('@millrace/runner');
  try {
    return await runCommand(options);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+(\.\d+)?$/.test(text)) return seconds;
  throw new InvalidArgumentError('It must be a number of seconds.');
}
