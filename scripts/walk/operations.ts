import ts from 'typescript';
import { definitionOf, fileOf, listOfOperations, type Definition, type Source } from './source.ts';

/** Each operation of the contract with the definition that keeps it, behind the lines of operations.ts. */
export function operationsOf(source: Source): Map<string, Definition> {
  const { checker, files } = source;
  const file = files.find((one) => fileOf(source, one) === listOfOperations);
  const module = file && checker.getSymbolAtLocation(file);
  if (!module) throw new Error(`server/src/${listOfOperations} exports no operation.`);
  return new Map(checker.getExportsOfModule(module).map((line) => [line.name, startOf(source, line)]));
}

function startOf(source: Source, line: ts.Symbol): Definition {
  const isPassedOn = (line.flags & ts.SymbolFlags.Alias) !== 0;
  const definition = definitionOf(source, isPassedOn ? source.checker.getAliasedSymbol(line) : line);
  if (!definition) throw new Error(`server/src/${listOfOperations} has no function for ${line.name}.`);
  return definition;
}
