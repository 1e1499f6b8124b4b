import { Parser } from 'saxen';
import { wellFormed } from './cells.rules.ts';
import { refusedKinds } from './kinds.rules.ts';
import { problemOf } from './problems.rules.ts';

/** Receives the tokens of an XML document. Names come without the prefixes of their namespaces. */
export interface XmlHandler {
  readonly open: (name: string, attributes: () => Readonly<Record<string, string>>) => void;
  readonly close?: (name: string) => void;
  readonly text?: (text: string) => void;
}

type Bytes = AsyncIterable<Buffer>;

/** No name, attribute list or text in a workbook is longer: a cell has 32,767 characters at most. */
const longestToken = 2 * 1024 * 1024;

/**
 * Reads XML part by part; the handlers have been called for each part when it yields.
 * @throws Refusal when it is no XML, declares a document type, or has one text that no workbook can have
 */
export async function* readXml(bytes: Bytes, { open, close, text }: XmlHandler): AsyncGenerator<void> {
  const parser = new Parser();
  let failure: Error | undefined;
  let sinceToken = 0;
  parser.on('openTag', (name, attributes) => {
    sinceToken = 0;
    open(bare(name), attributes);
  });
  parser.on('closeTag', (name) => {
    sinceToken = 0;
    close?.(bare(name));
  });
  if (text) {
    parser.on('text', (part, decode) => text(part.includes('&') ? wellFormed(decode(part)) : part));
    parser.on('cdata', text);
  }
  parser.on('attention', () => void (failure ??= problemOf(refusedKinds.markup)));
  parser.on('error', () => void (failure ??= problemOf(refusedKinds.damaged)));
  const decoder = new TextDecoder('utf-8');
  for await (const chunk of bytes) {
    sinceToken += chunk.length;
    parser.write(decoder.decode(chunk, { stream: true }));
    if (sinceToken > longestToken) failure ??= problemOf(refusedKinds.damaged);
    if (failure) throw failure;
    yield;
  }
  parser.end();
  if (failure) throw failure;
}

function bare(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
