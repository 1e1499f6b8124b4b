import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '../..');

// The values that the documents leave to their readers.
const theirs = `
  declare function pay(claim: { customer: string; amount: number }): Promise<string>;`;

/** The TypeScript in a document. */
function snippetsIn(document: string): string[] {
  const text = readFileSync(path.join(root, document), 'utf8');
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);
}

// Read once for all programs: the library of the language takes most of the time.
const known = new Map<string, ts.SourceFile | undefined>();

/** The complaints of the compiler about a program, as this repository compiles it. */
function complaintsAbout(code: string): string[] {
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file));
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root);
  const files = new Map([
    // Beside the sources, so that packages are found.
    [path.join(import.meta.dirname, 'snippet.ts'), code],
    [path.join(import.meta.dirname, 'theirs.d.ts'), theirs],
  ]);
  const disk = ts.createCompilerHost(options);
  const getSourceFile: ts.CompilerHost['getSourceFile'] = (file, language, ...more) => {
    const text = files.get(file);
    if (text !== undefined) return ts.createSourceFile(file, text, language);
    if (!known.has(file)) known.set(file, disk.getSourceFile(file, language, ...more));
    return known.get(file);
  };
  const host = { ...disk, getSourceFile };
  const program = ts.createProgram([...files.keys()], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

const written = ['README.md', 'docs/bots.md', 'api/README.md', 'runner/README.md'].flatMap((file) =>
  snippetsIn(file).map((code) => ({ file, code })),
);

test.each(written)('the TypeScript in $file compiles', ({ code }) => {
  expect(complaintsAbout(code)).toEqual([]);
});

test('every document shows some, and a bot that does not fit its item is told', () => {
  expect(new Set(written.map(({ file }) => file)).size).toBe(4);
  const wrong = written[0]?.code.replace('json.amount', 'json.amuont') ?? '';
  expect(complaintsAbout(wrong)).toEqual([expect.stringContaining("'amuont' does not exist")]);
});
