import { readdirSync, readFileSync } from 'node:fs';
import { CommanderError, type Command } from 'commander';
import { parse } from 'shell-quote';
import { expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { examples } from './help.ts';
import { withCommandWords } from './command-words.ts';
import { createProgram } from './program.ts';
import { createWrittenTerminal } from './terminal.fixture.ts';

/** A command line in a document. */
interface Written {
  /** The file of the command line. */
  readonly file: string;
  readonly line: string;
  /** The words after `millrace`. */
  readonly words: readonly string[];
  /** The command stands in a sentence, where it may be only the beginning of one. */
  readonly isMention: boolean;
}

const root = new URL('../../', import.meta.url);

/** Every `millrace …` in README.md, in the READMEs of packages, and in docs/*.md. */
function writtenCommands(): Written[] {
  const documents = readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md'));
  return [
    'README.md',
    'cli/README.md',
    'runner/README.md',
    ...documents.map((name) => `docs/${name}`),
  ].flatMap((file) => {
    const text = readFileSync(new URL(file, root), 'utf8');
    return [...linesOf(text), ...mentionsIn(text)].flatMap(({ line, isMention }) =>
      commandsIn(line).map((words) => ({ file, line, words, isMention })),
    );
  });
}

interface Found {
  readonly line: string;
  readonly isMention: boolean;
}

/** Lines of code that name the command, with their continuations after a backslash. */
function linesOf(text: string): Found[] {
  let isFenced = false;
  const code = text
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => {
      if (line.startsWith('```')) isFenced = !isFenced;
      return (isFenced || line.startsWith('    ')) && line.includes('millrace ');
    });
  return code.map((line) => ({ line: line.trim().replace(/^\$ /, ''), isMention: false }));
}

function mentionsIn(text: string): Found[] {
  return [...text.matchAll(/`((?:npx )?millrace [^`]+)`/g)].map(([, line = '']) => ({
    line: line.replaceAll('\n', ' '),
    isMention: true,
  }));
}

/** The commands of a shell line: the words between operators, without files and comments. */
function commandsIn(line: string): string[][] {
  const commands: string[][] = [[]];
  let isFile = false;
  for (const part of parse(line, (name) => `$${name}`)) {
    if (typeof part === 'string') {
      if (!isFile) commands.at(-1)?.push(part);
      isFile = false;
    } else if ('op' in part && part.op === 'glob') commands.at(-1)?.push(part.pattern);
    else if ('op' in part) {
      isFile = ['<', '>', '>>'].includes(part.op);
      if (!isFile) commands.push([]);
    }
  }
  return commands.flatMap((words) => {
    const start = words.indexOf('millrace');
    return start === 0 || words[0] === 'npx' ? [words.slice(start + 1)] : [];
  });
}

const notWholeYet = ['commander.missingArgument', 'commander.missingMandatoryOptionValue'];

/** The complaint to a person who types this; empty when command, options and values are understood. */
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

/** Has commands read their arguments silently, without running. */
function doNothing(command: Command): void {
  // The group itself prints what happened.
  const isGroup = command.commands.length > 0 && command.name() !== 'events';
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
      'cli/README.md',
      'runner/README.md',
      ...[
        'audit',
        'batches',
        'bots',
        'cli',
        'console',
        'devices',
        'events',
        'intake',
        'items',
        'operating',
        'queues',
      ].map((name) => `docs/${name}.md`),
      ...['secrets', 'service-levels', 'sign-on', 'why'].map((name) => `docs/${name}.md`),
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
