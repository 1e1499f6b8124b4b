import path from 'node:path';
import ts from 'typescript';

/**
 * Folders of server/src that are no domain, besides the files that lie flat in it: the engine, which runs every operation and knows none.
 */
const engineFolders: ReadonlySet<string> = new Set(['engine', 'postgres', 'testing']);

/** Files that no operation runs: tests and their helpers, and generated files. */
const leftOut = /[.](test|fixture)[.]ts$|^testing\/|(^|\/)generated\//;

/** Has a line for each operation of the contract: its function, and the file that has it. */
export const listOfOperations = 'operations.ts';

/** The code of the server as the compiler understands it. */
export interface Source {
  readonly folder: string;
  readonly files: readonly ts.SourceFile[];
  readonly checker: ts.TypeChecker;
}

/** @throws Error when tsconfig.json cannot be read, or server/src is empty. */
export function openSource(root: string): Source {
  const folder = path.join(root, 'server/src');
  const { fileNames, options } = readConfig(path.join(root, 'tsconfig.json'));
  const names = fileNames.filter((name) => isRead(path.relative(folder, name)));
  if (names.length === 0) throw new Error(`tsconfig.json includes no file in ${folder}.`);
  const program = ts.createProgram(names, options);
  const files = names.map((name) => program.getSourceFile(name)).filter((file) => file !== undefined);
  return { folder, files, checker: program.getTypeChecker() };
}

function readConfig(file: string): ts.ParsedCommandLine {
  const refuse = ({ messageText }: ts.Diagnostic): never => {
    throw new Error(`${file}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
  };
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: refuse };
  return ts.getParsedCommandLineOfConfigFile(file, {}, host) ?? { fileNames: [], options: {}, errors: [] };
}

function isRead(name: string): boolean {
  return !name.startsWith('..') && !leftOut.test(name);
}

/** The file of a node, relative to server/src. */
export function fileOf({ folder }: Source, node: ts.Node): string {
  return path.relative(folder, node.getSourceFile().fileName);
}

/** The first folder of a file; undefined for files of the engine. */
export function domainOf(file: string): string | undefined {
  const [first = '', ...rest] = file.split('/');
  return rest.length === 0 || engineFolders.has(first) ? undefined : first;
}

/** The declaration of a name behind imports and re-exports. */
export function symbolAt({ checker }: Source, name: ts.Node): ts.Symbol | undefined {
  const symbol = ts.isShorthandPropertyAssignment(name.parent)
    ? checker.getShorthandAssignmentValueSymbol(name.parent)
    : checker.getSymbolAtLocation(name);
  return symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** A function, constant or class of a file, or a member of such a class: the pieces that are read as a whole. */
export type Definition = ts.Declaration;

/** The definition of a symbol in server/src; undefined for parameters, local names, types and everything elsewhere. */
export function definitionOf(source: Source, symbol: ts.Symbol): Definition | undefined {
  // The last of several declarations is the one with the body.
  const found = symbol.declarations?.map(wholeOf).findLast(isDefinition);
  return found && isRead(fileOf(source, found)) ? found : undefined;
}

/** `const { a } = …` defines `a` as a part of the whole. */
function wholeOf(declaration: ts.Declaration): ts.Declaration {
  return ts.isBindingElement(declaration) ? wholeOf(declaration.parent.parent) : declaration;
}

function isDefinition(node: ts.Node): boolean {
  if (ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)) return ts.isSourceFile(node.parent);
  if (ts.isVariableDeclaration(node)) return ts.isSourceFile(node.parent.parent.parent);
  return ts.isClassElement(node) && ts.isClassDeclaration(node.parent);
}

/** Whether it is read as a function is; a class stands for its constructor. */
export function isFunction({ checker }: Source, node: Definition): boolean {
  if (ts.isConstructorDeclaration(node)) return false;
  if (ts.isFunctionLike(node) || ts.isClassDeclaration(node)) return true;
  return checker.getTypeAtLocation(node).getCallSignatures().length > 0;
}

/** The definitions that a definition names other than as a type, in the order of the text, repetitions included. */
export function referencesOf(source: Source, definition: Definition): Definition[] {
  const found: Definition[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return;
    const symbol = ts.isIdentifier(node) || ts.isPrivateIdentifier(node) ? symbolAt(source, node) : undefined;
    const named = symbol && definitionOf(source, symbol);
    if (named) found.push(named);
    ts.forEachChild(node, visit);
  };
  partsOf(source, definition).forEach(visit);
  return found;
}

/** Methods are read where they are called, and the rest of a class where it is constructed. */
function partsOf(source: Source, node: Definition): readonly ts.Node[] {
  if (!ts.isClassDeclaration(node)) return [node];
  return [...(node.heritageClauses ?? []), ...node.members.filter((member) => !isFunction(source, member))];
}
