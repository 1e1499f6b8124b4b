import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'shell-quote';

/** A command line in a document. */
export interface Written {
  /** Where it stands. */
  readonly file: string;
  readonly line: string;
  /** What follows `millrace`. */
  readonly words: readonly string[];
  /** It stands in a sentence, where it may be the beginning of one only. */
  readonly isMention: boolean;
}

const root = new URL('../../', import.meta.url);

/** Every `millrace …` in README.md and docs/*.md. */
export function writtenCommands(): Written[] {
  const documents = readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md'));
  return ['README.md', ...documents.map((name) => `docs/${name}`)].flatMap((file) => {
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

/** Lines of code that name the command, with those that go on behind a backslash. */
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

/** The commands of a line of the shell: what stands between the operators, without files and comments. */
export function commandsIn(line: string): string[][] {
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
