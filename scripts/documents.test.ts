import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.dirname(import.meta.dirname);

/** Folders that are generated, or brought by others. */
const notOurs = new Set(['node_modules', 'dist', 'coverage', 'data', '.git']);

/** All files and folders of the repository, as paths from its root. */
function entriesIn(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (notOurs.has(entry.name)) return [];
    const name = path.posix.join(folder, entry.name);
    return entry.isDirectory() ? [name, ...entriesIn(name)] : [name];
  });
}

const entries = entriesIn('');
const read = (name: string) => readFileSync(path.join(root, name), 'utf8');

/** The texts between backticks, and the words of commands. */
function namesIn(text: string): string[] {
  const [prose, commands] = [[], []] as [string[], string[]];
  for (const [index, part] of text.split(/^```.*$/m).entries()) (index % 2 ? commands : prose).push(part);
  const quoted = [...prose.join('').matchAll(/`([^`\n]+)`/g)].map(([, name = '']) => name);
  return [...new Set([...quoted, ...commands.join(' ').split(/\s+/)])];
}

const house = new Set(
  entries.filter((entry) => /^(server\/src\/)?[^/]+$/.test(entry)).map((entry) => path.basename(entry)),
);

/** Whether a name is meant as a file or a folder: by its ending, or by the room that it begins with. */
function isPath(name: string): boolean {
  if (!/^[\w.*-]+(\/[\w.*-]+)*\/?$/.test(name) || name.includes('NNNN')) return false;
  const [first = '', ...rest] = name.split('/');
  return /[.](ts|mjs|yaml|md|sql)$/.test(name) || (rest.length > 0 && house.has(first));
}

/** Whether a path exists, from the root or from a folder on the way: a page names the room only once. */
function leads(name: string): boolean {
  const pattern = name.replace(/\/$/, '').replaceAll('.', '[.]').replaceAll('*', '[^/]*');
  const ending = new RegExp(`(^|/)${pattern}$`);
  return entries.some((entry) => ending.test(entry));
}

describe.each(['ARCHITECTURE.md', 'CONTRIBUTING.md'])('%s', (page) => {
  const names = namesIn(read(page));

  test('names no file and no folder that is not there', () => {
    const paths = names.filter(isPath);
    expect(paths.length).toBeGreaterThan(20);
    expect(paths.filter((name) => !leads(name))).toEqual([]);
  });

  test('names no function that is not there', () => {
    const functions = names.filter((name) => /^[a-z]+([A-Z][a-z]+)+$/.test(name));
    expect(functions.length).toBeGreaterThan(3);
    const sources = entries.filter((entry) => /^(api|server|runner|cli)\/.*[.](ts|yaml)$/.test(entry));
    const words = new Set(sources.flatMap((entry) => read(entry).match(/\w+/g) ?? []));
    expect(functions.filter((name) => !words.has(name))).toEqual([]);
  });
});
