import { createBot, type BotSettings } from './bots/bot.ts';
import type { Summary } from './events.ts';
import { settingsOf, type RunOptions } from './options.ts';
import { runWith } from './run.ts';

/** The command that is run for the items of a queue. */
export interface CommandOptions extends RunOptions, BotSettings {}

/**
 * Does each item of a queue by a command: the item as JSON on stdin, its output as JSON from stdout, its outcome by the exit code; or, when
 * it is kept warm, items and answers line by line.
 * @throws as `run` does
 */
export async function runCommand(options: CommandOptions): Promise<Summary> {
  return runWith(options, (emit) => {
    const { maxOutputBytes } = settingsOf(options);
    return createBot(options, maxOutputBytes, (text) => emit({ type: 'note', text }));
  });
}
