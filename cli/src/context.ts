import { Option, type Command } from 'commander';
import type { Config } from './config.ts';
import type { Terminal } from './terminal.ts';

/** Settings and terminal that every command is given. */
export interface Context {
  readonly config: Config;
  readonly terminal: Terminal;
}

/** The options of every command that calls the server. */
export interface CallFlags {
  readonly url?: string;
  readonly json?: boolean;
}

/** Adds the options of every command that calls the server. */
export function addCallFlags(command: Command): Command {
  return command
    .addOption(new Option('--json', 'Print the answer as JSON').helpGroup('Options of every command:'))
    .addOption(
      new Option('--url <url>', 'The server; else MILLRACE_URL, or where you logged in').helpGroup(
        'Options of every command:',
      ),
    );
}
