import ts from 'typescript';
import { domainOf, fileOf, isFunction, referencesOf, type Definition, type Source } from './source.ts';

/** A function in a domain. */
export interface Place {
  readonly name: string;
  readonly domain: string;
  readonly file: string;
  readonly line: number;
  /** The number of functions that led to it. */
  readonly depth: number;
}

/** The reader opens a function that was not read before, or comes back to one from a function that it refers to. */
export interface Visit extends Place {
  readonly isBack: boolean;
}

export interface Figures {
  /** Files of the functions read. */
  readonly files: number;
  /** Those in the domain where the walk begins. */
  readonly ownFiles: number;
  readonly domains: number;
  readonly functions: number;
  /** How often the reader enters a domain that was visited and left before, to open a function or to come back to one. */
  readonly returns: number;
}

/**
 * The way of a reader who begins at a definition and follows each reference when the text comes to it, reads every
 * definition once, and then comes back to where the reference stood. Constants lead on to the functions they name,
 * without being places themselves; code of the engine is not entered.
 */
export function walkFrom(source: Source, start: Definition): Visit[] {
  const visits: Visit[] = [];
  const met = new Set<Definition>();
  const read = (definition: Definition, depth: number): void => {
    met.add(definition);
    const place = placeOf(source, definition, depth);
    if (place) visits.push({ ...place, isBack: false });
    for (const next of referencesOf(source, definition)) {
      if (met.has(next) || domainOf(fileOf(source, next)) === undefined) continue;
      read(next, place ? depth + 1 : depth);
      if (place) visits.push({ ...place, isBack: true });
    }
  };
  read(start, 0);
  return visits;
}

function placeOf(source: Source, definition: Definition, depth: number): Place | undefined {
  const file = fileOf(source, definition);
  const domain = domainOf(file);
  if (domain === undefined || !isFunction(source, definition)) return undefined;
  const text = definition.getSourceFile();
  const { line } = text.getLineAndCharacterOfPosition(definition.getStart(text));
  return { name: nameOf(definition), domain, file, line: line + 1, depth };
}

function nameOf(definition: Definition): string {
  const name = ts.getNameOfDeclaration(definition)?.getText() ?? 'default';
  return ts.isClassElement(definition) ? `${nameOf(definition.parent as ts.ClassDeclaration)}.${name}` : name;
}

export function figuresOf(visits: readonly Visit[]): Figures {
  const places = visits.filter(({ isBack }) => !isBack);
  const files = new Map(places.map(({ file, domain }) => [file, domain]));
  const own = places[0]?.domain;
  return {
    files: files.size,
    ownFiles: [...files.values()].filter((domain) => domain === own).length,
    domains: new Set(files.values()).size,
    functions: places.length,
    returns: visits.filter((_, index) => isReturn(visits, index)).length,
  };
}

/** The domains to which the reader returns, with the number of returns, most often first. Home, where the walk begins, is one of them. */
export function returnsByDomain(visits: readonly Visit[]): [domain: string, returns: number][] {
  const counts = new Map<string, number>();
  for (const { domain } of visits.filter((_, index) => isReturn(visits, index)))
    counts.set(domain, (counts.get(domain) ?? 0) + 1);
  return [...counts].toSorted(([, one], [, other]) => other - one);
}

/** Whether a visit enters a domain that was visited and left before. */
export function isReturn(visits: readonly Visit[], index: number): boolean {
  const domain = visits[index]?.domain;
  const before = visits.slice(0, index);
  return before.at(-1)?.domain !== domain && before.some((visit) => visit.domain === domain);
}
