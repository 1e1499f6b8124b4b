import { Option, type Command } from 'commander';
import type { StoryName } from '@millrace/demo';
import type { Context } from '../context.ts';
import { Interrupted } from '../errors.ts';
import { createLiveLine } from '../live-line.ts';
import { locatePart, spawnMillrace, spawnScript, spawnServer } from '../own-process.ts';

interface DemoFlags {
  readonly story: StoryName;
  readonly keep?: boolean;
  readonly json?: boolean;
}

// Short summaries of the demo's stories: the help does not load the demo, and an installed command has none.
const stories: Readonly<Record<StoryName, string>> = {
  records:
    '5,000 credit applications from a CSV file go through a queue, processed by three runners, one of which is killed half-way.',
  distribution:
    'Four queues share the eight devices of two pools. One device is quarantined, one dies past the point of no return, and ' +
    'the server says why things do not run.',
};

/** `millrace demo`: a story that shows Millrace at work, with everything that goes wrong on the way. */
export function addDemo(program: Command, context: Context): Command {
  const told = Object.entries(stories).map(([name, about]) => `${name}: ${about}`);
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
    .action((flags: DemoFlags) => tell(context, flags));
}

async function tell({ terminal }: Context, { story, ...flags }: DemoFlags): Promise<void> {
  locatePart('@millrace/demo', 'npm run demo');
  const { play, stories: known } = await import('@millrace/demo');
  const host = { terminal, liveLine: createLiveLine(terminal), spawnServer, spawnMillrace, spawnScript };
  const isToldToItsEnd = await play(await known[story](), host, flags);
  if (!isToldToItsEnd) throw new Interrupted();
}
