import ts from 'typescript';
import { fileOf, listOfOperations, symbolAt, type Source } from './source.ts';

/** An export, types included, and the other files of server/src that name it. */
export interface Export {
  readonly name: string;
  readonly file: string;
  readonly users: readonly string[];
}

/**
 * Every export in the file that declares it; a re-export is a use. The list of operations counts as no user, because
 * every operation is exported for it, whether or not other code needs the name.
 */
export function exportsOf(source: Source): Export[] {
  const users = new Map<ts.Symbol, Set<string>>();
  for (const file of source.files) {
    const name = fileOf(source, file);
    if (name === listOfOperations) continue;
    for (const symbol of symbolsNamedIn(source, file))
      users.set(symbol, (users.get(symbol) ?? new Set()).add(name));
  }
  return source.files.flatMap((one) => {
    const file = fileOf(source, one);
    const usersOf = (symbol: ts.Symbol) => [...(users.get(symbol) ?? [])].filter((user) => user !== file);
    return declaredExports(source, one).map((symbol) => ({
      name: symbol.name,
      file,
      users: usersOf(symbol),
    }));
  });
}

function declaredExports({ checker }: Source, file: ts.SourceFile): ts.Symbol[] {
  const module = checker.getSymbolAtLocation(file);
  const symbols = module ? checker.getExportsOfModule(module) : [];
  return symbols.filter(({ flags }) => !(flags & ts.SymbolFlags.Alias));
}

function symbolsNamedIn(source: Source, file: ts.SourceFile): Set<ts.Symbol> {
  const found = new Set<ts.Symbol>();
  const visit = (node: ts.Node): void => {
    const symbol = ts.isIdentifier(node) ? symbolAt(source, node) : undefined;
    if (symbol) found.add(symbol);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}
