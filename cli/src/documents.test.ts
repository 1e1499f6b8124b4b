import { CommanderError, type Command } from 'commander';
import { expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { commandsIn, writtenCommands, type Written } from './documents.fixture.ts';
import { examples } from './help.ts';
import { createProgram, withCommandWords } from './program.ts';
import { createWrittenTerminal } from './terminal.fixture.ts';

const notWholeYet = ['commander.missingArgument', 'commander.missingMandatoryOptionValue'];

/** What a person would be told who types this; empty when command, options and values are understood. */
async function complaintAbout({ words, isMention }: Omit<Written, 'file' | 'line'>): Promise<string> {
  const program = createProgram({ config: readConfig({}), terminal: createWrittenTerminal().terminal });
  doNothing(program);
  const error: unknown = await program
    .parseAsync(withCommandWords(words), { from: 'user' })
    .then(() => undefined)
    .catch((reason: unknown) => reason);
  if (!(error instanceof CommanderError)) return error === undefined ? '' : 'It failed otherwise.';
  const isFine = error.exitCode === 0 || (isMention && notWholeYet.includes(error.code));
  return isFine ? '' : error.message;
}

/** Has commands be read but not run, and say nothing. */
function doNothing(command: Command): void {
  const isGroup = command.commands.length > 0;
  if (!isGroup) command.action(() => undefined);
  command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  command.commands.forEach(doNothing);
}

const written = writtenCommands();

test.each(written)('$file: $line', async (command) => {
  expect(await complaintAbout(command)).toBe('');
});

test('every document that has commands is read, with what stands behind a pipe or on two lines', () => {
  expect(new Set(written.map(({ file }) => file))).toEqual(
    new Set([
      'README.md',
      ...['bots', 'cli', 'devices', 'events', 'items', 'operating', 'queues', 'why'].map(
        (name) => `docs/${name}.md`,
      ),
    ]),
  );
  expect(written.map(({ words }) => words.join(' '))).toEqual(
    expect.arrayContaining([
      'item create credit --body -',
      'user create --username ana --password-stdin',
      'completion bash',
    ]),
  );
  expect(written.filter(({ words }) => words.includes('--retry-back-off'))).toHaveLength(1);
});

const shown = Object.entries(examples).flatMap(([of, lines]) => lines.map((line) => ({ of, line })));

test.each(shown)('the help of "$of" shows what works: $line', async ({ line }) => {
  for (const words of commandsIn(line)) expect(await complaintAbout({ words, isMention: false })).toBe('');
});

test.each([
  [['item', 'create', 'credit', '--labels', 'x']],
  [['device', 'drian', '3']],
  [['pool', 'create', '--device-ids', '[1,2']],
  [['queue', 'update', 'credit', '--expiry', '{type}']],
])('%j would be found', async (words) => {
  expect(await complaintAbout({ words, isMention: true })).not.toBe('');
});
