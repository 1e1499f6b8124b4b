import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';

/**
 * `millrace completion`: prints the script by which a shell completes commands and flags. The script asks back with
 * `millrace complete -- …`, which is hidden. Knows the commands that the program has by now, so it comes last.
 */
export function addCompletion(program: Command): void {
  tab(program, { completionCommandName: 'completion' });
  const command = program.commands.find((one) => one.name() === 'completion');
  command
    ?.summary('Complete commands with the Tab key')
    .description('Print the script by which a shell completes commands, flags and their values.');
}
