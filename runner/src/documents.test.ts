import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '../..');

// What the documents leave to their readers.
const theirs = `
  declare const url: string, username: string, apiKey: string;
  declare function book(invoice: { amount: number }): Promise<string>;
  declare function pay(claim: { customer: string; amount: number }): Promise<string>;`;

/** The TypeScript in a document. */
function snippetsIn(document: string): string[] {
  const text = readFileSync(path.join(root, document), 'utf8');
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);
}

/** What the compiler says of a program, as this repository compiles it. */
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
    return text === undefined
      ? disk.getSourceFile(file, language, ...more)
      : ts.createSourceFile(file, text, language);
  };
  const host = { ...disk, getSourceFile };
  const program = ts.createProgram([...files.keys()], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

const written = ['README.md', 'docs/bots.md'].flatMap((file) =>
  snippetsIn(file).map((code) => ({ file, code })),
);

test.each(written)('the TypeScript in $file compiles', ({ code }) => {
  expect(complaintsAbout(code)).toEqual([]);
});

test('both documents show a bot, and one that does not fit its item is told', () => {
  expect(new Set(written.map(({ file }) => file)).size).toBe(2);
  const wrong = written[0]?.code.replace('json.amount', 'json.amuont') ?? '';
  expect(complaintsAbout(wrong)).toEqual([expect.stringContaining("'amuont' does not exist")]);
});
