import type { Command } from 'commander';
import type { Context } from '../context.ts';

/** `millrace demo`: real records through a queue, with everything that goes wrong on the way. */
export function addDemo(program: Command, { terminal }: Context): Command {
  return program
    .command('demo')
    .summary('Watch real records go through a queue')
    .description(
      'Start a server on a database of its own in a temporary folder, load 5,000 credit applications from a CSV file, and process ' +
        'them with three runners, one of which is killed half-way. Ends with what became of them. Needs about a minute and leaves nothing behind.',
    )
    .option('--keep', 'leave the server running at the end, to look around; Ctrl-C stops it')
    .action(async ({ keep }: { keep?: boolean }) => {
      const { demo } = await import('./demo.ts');
      await demo(terminal, keep === true);
    });
}
