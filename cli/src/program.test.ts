import { operations, type Operation } from '@millrace/api';
import { CommanderError, type Command } from 'commander';
import { expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { withCommandWords } from './command-words.ts';
import { failureOf, sayFailure } from './errors.ts';
import { createProgram } from './program.ts';
import { createWrittenTerminal } from './terminal.fixture.ts';

const newProgram = () =>
  createProgram({ config: readConfig({}), terminal: createWrittenTerminal().terminal });

// `complete` is for the scripts of shells, and hidden.
function wordsOf(command: Command, before: readonly string[] = []): string[][] {
  const inner = command.commands
    .filter((one) => one.name() !== 'complete')
    .map((one) => wordsOf(one, [...before, one.name()]));
  return [[...before], ...inner.flat()];
}

function find(words: readonly string[]): Command | undefined {
  return words.reduce<Command | undefined>(
    (command, name) => command?.commands.find((one) => one.name() === name),
    newProgram(),
  );
}

/** Runs a command line that ends before anything is sent. */
async function printedBy(args: readonly string[]): Promise<{ exitCode: number; text: string }> {
  const program = newProgram();
  let text = '';
  const write = (part: string) => (text += part);
  const listen = (command: Command): void => {
    command.configureOutput({ writeOut: write, writeErr: write });
    command.commands.forEach(listen);
  };
  listen(program);
  const error: unknown = await program
    .parseAsync([...args], { from: 'user' })
    .catch((reason: unknown) => reason);
  const { terminal, said } = createWrittenTerminal();
  sayFailure(terminal, failureOf(error), false);
  return { exitCode: error instanceof CommanderError ? error.exitCode : -1, text: text + said.join('\n') };
}

test.each(wordsOf(newProgram()).map((words) => ({ words: words.join(' ') })))(
  'millrace $words --help explains itself',
  async ({ words }) => {
    const { exitCode, text } = await printedBy([...words.split(' ').filter(Boolean), '--help']);
    expect(exitCode).toBe(0);
    expect(text).toContain(`Usage: millrace ${words}`.trim());
    expect(text).toMatch(/^\S[^\n]*\.$/m);
  },
);

const commands = Object.entries<Operation>(operations).filter(([, { cli }]) => cli !== null);

test.each(commands.map(([operationId, { cli }]) => ({ operationId, cli })))(
  '$operationId is the command $cli, by either name',
  ({ operationId, cli }) => {
    const words = (cli ?? '').split(' ');
    expect(find(words)?.summary()).not.toBe('');
    expect(withCommandWords([operationId, '5', '--json'])).toEqual([...words, '5', '--json']);
  },
);

test('logIn and logOut are the commands login and logout', () => {
  expect(withCommandWords(['logIn'])).toEqual(['login']);
  expect(withCommandWords(['logOut'])).toEqual(['logout']);
});

test('anything else is left as it is', () => {
  for (const args of [[], ['queue', 'list'], ['toString'], ['getLiveness']])
    expect(withCommandWords(args)).toEqual(args);
});

test.each([
  [['quue', 'list'], 'Did you mean queue?'],
  [['queue', 'gett', '5'], 'Did you mean get?'],
  [['queue', 'create', '--nam', 'a'], 'Did you mean --name?'],
  [['queue', 'get'], "missing required argument 'queue'"],
  [['item', 'get', 'q', 'x'], 'It must be a whole number, without zeros in front.'],
  [['queue', 'update', 'q', '--status', 'off'], 'It must be one of ACTIVE, INACTIVE.'],
])('%j is refused with what was meant, and with where to read more', async (args, text) => {
  const printed = await printedBy(args);
  expect(printed.exitCode).toBe(1);
  expect(printed.text).toContain(text);
  expect(printed.text).toContain('--help');
});

test.each([
  [['model', 'create'], '"type":"TEXT|NUMBER|DATE|BOOLEAN"'],
  [['queue', 'create'], '{"type":"FIXED|EXPONENTIAL|NONE", "seconds":n'],
  [['item', 'finish'], '[{"id":n, "version":n, "status":"COMPLETE|FAILED|DEFERRED|NEW"'],
  [['item', 'list'], '[{"operator":"eq|ne|lt|le|gt|ge|substring", "field":"status"'],
  [['queue', 'pause'], '2h, 30m, 3d, tomorrow 08:00'],
  [['item', 'restart'], 'the current one unless given'],
  [['item', 'update'], 'For an item in progress it is needed, as the claim answered it'],
  [['item', 'bulk'], 'or else give --for-ever'],
  [[], '2h, 30m, 3d, tomorrow 08:00'],
])('the help of %j says %s', async (words, text) => {
  const printed = await printedBy([...words, '--help']);
  expect(printed.text.replace(/\s+/g, ' ')).toContain(text);
});

test('the version of a queue is not mistaken for that of the program', () => {
  expect(find(['queue', 'update'])?.options.map(({ long }) => long)).toContain('--version');
});

test('secrets are no flags, because others could see them', () => {
  const flags = find(['user', 'create'])?.options.map(({ long }) => long);
  expect(flags).toContain('--password-stdin');
  expect(flags).not.toContain('--password');
});
