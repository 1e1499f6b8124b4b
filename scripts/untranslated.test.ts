import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const source = path.join(import.meta.dirname, '../web/src');
const letters = /\p{L}{2,}/u;
const spoken = new Set(['alt', 'aria-description', 'aria-label', 'label', 'placeholder', 'title']);

/** Texts that are the same in every language: the name, commands, keys and values of JSON. */
const universal = /^(Millrace|millrace .*|Ctrl K|true|false)$/s;

/** The texts that an element has of its own, as a child or in an attribute that people read or hear. */
function textsIn(file: ts.SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const text = textOf(node);
    if (text !== undefined && letters.test(text) && !universal.test(text.trim())) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      found.push(`${path.relative(source, file.fileName)}:${line + 1}: ${text.trim()}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isJsxText(node)) return node.text;
  if (ts.isJsxAttribute(node) && node.initializer && spoken.has(node.name.getText()))
    return literalIn(node.initializer);
  const isChild = ts.isJsxExpression(node) && !ts.isJsxAttribute(node.parent) && node.expression;
  return isChild ? literalIn(isChild) : undefined;
}

/** The letters that an expression says by itself: a text, or what stands between the parts of one. */
function literalIn(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (ts.isJsxExpression(node) && node.expression) return literalIn(node.expression);
  if (ts.isTemplateExpression(node))
    return [node.head, ...node.templateSpans.map(({ literal }) => literal)].map(({ text }) => text).join(' ');
  if (ts.isConditionalExpression(node))
    return [node.whenTrue, node.whenFalse].map((part) => literalIn(part) ?? '').join(' ');
  if (ts.isBinaryExpression(node)) return literalIn(node.right);
  return undefined;
}

test('Every text that people read or hear is one of the messages, so that another language can have it', () => {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.tsx'))
    .map((file) => path.join(source, file));
  expect(files.length).toBeGreaterThan(100);
  const found = files.flatMap((file) =>
    textsIn(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)),
  );
  expect(found).toEqual([]);
});

test('A text of its own is found in an element, in an attribute and in a template', () => {
  const text =
    '<p title="Read me">Plain {`${n} done`} {isOpen ? "Open" : ""} <b className="head">{m.x}</b> · {"–"}</p>';
  const file = ts.createSourceFile(
    path.join(source, 'a.tsx'),
    text,
    ts.ScriptTarget.Latest,
    true,
    ts.ScriptKind.TSX,
  );
  expect(textsIn(file).map((one) => one.split(': ')[1])).toEqual(['Read me', 'Plain', 'done', 'Open']);
});
