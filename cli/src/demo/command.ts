import { Option, type Command } from 'commander';
import type { Context } from '../context.ts';
import type { PlayFlags } from './play.ts';
import { stories, type StoryName } from './stories.ts';

interface DemoFlags extends PlayFlags {
  readonly story: StoryName;
}

/** `millrace demo`: a story that shows Millrace at work, with everything that goes wrong on the way. */
export function addDemo(program: Command, { terminal }: Context): Command {
  const told = Object.entries(stories).map(([name, { about }]) => `${name}: ${about}`);
  return program
    .command('demo')
    .summary('Watch Millrace at work, in one of two stories')
    .description(
      'Tell a story on a server of its own, with a database in a temporary folder. Each needs about a minute, checks at its end ' +
        `that nothing was lost, and leaves nothing behind.\n\n${told.join('\n\n')}`,
    )
    .addOption(
      new Option('--story <name>', 'which one')
        .choices(Object.keys(stories))
        .default('records' satisfies StoryName),
    )
    .option('--keep', 'leave the server running at the end, to look around; Ctrl-C stops it')
    .option('--json', 'print what became of everything as JSON')
    .action(async ({ story, ...flags }: DemoFlags) => {
      const { play } = await import('./play.ts');
      await play(await stories[story].load(), terminal, flags);
    });
}
