import type { Readable } from 'node:stream';
import { ByteStore } from './byte-store.ts';
import { longestText, unescaped } from './excel.rules.ts';
import { refusedKinds } from './kinds.rules.ts';
import { problemOf } from './problems.rules.ts';
import { readXml } from './xml.ts';

const mostBytes = 512 * 1024 * 1024;
const mostTexts = 8 * 1024 * 1024;
/** The others lie on disk. Texts that come again and again are met early, so that they are among those in memory. */
const bytesInMemory = 8 * 1024 * 1024;
const placesAtOnce = 64 * 1024;

/** The shared texts of a workbook, as bytes: as strings a million of them would take a hundred megabytes. */
export class SharedStrings {
  readonly #bytes: ByteStore;
  /** Where each text begins: four bytes a text, as empty ones cost a sender nothing. */
  readonly #places: Uint32Array[] = [];
  #count = 0;
  readonly #most: number;

  constructor(most = mostTexts, inMemory = bytesInMemory) {
    this.#most = most;
    this.#bytes = new ByteStore(inMemory);
  }

  add(text: string): void {
    const bytes = Buffer.from(text);
    if (this.#bytes.length + bytes.length > mostBytes || this.#count >= this.#most)
      throw problemOf(refusedKinds.manyTexts);
    const index = this.#count % placesAtOnce;
    if (index === 0) this.#places.push(new Uint32Array(placesAtOnce));
    (this.#places.at(-1) as Uint32Array)[index] = this.#bytes.length;
    this.#bytes.append(bytes);
    this.#count += 1;
  }

  /** The text of this number; undefined when there is none. */
  at(index: number): string | undefined {
    if (!(index >= 0 && index < this.#count)) return undefined;
    const end = index + 1 === this.#count ? this.#bytes.length : this.#placeOf(index + 1);
    return this.#bytes.read(this.#placeOf(index), end).toString();
  }

  /** Gives up what is on disk. */
  close(): void {
    this.#bytes.close();
  }

  #placeOf(index: number): number {
    return this.#places[Math.floor(index / placesAtOnce)]?.[index % placesAtOnce] ?? 0;
  }
}

// As XML cannot hold each character, one may be written with seven.
const longestWritten = 7 * longestText;

/** Reads the shared texts of a workbook. The parts of a text in several formats are joined, without its phonetic guide. */
export async function readSharedStrings(bytes: Readable): Promise<SharedStrings> {
  const strings = new SharedStrings();
  let [text, isText, isPhonetic] = ['', false, false];
  const open = (name: string) => {
    if (name === 'si') text = '';
    else if (name === 'rPh') isPhonetic = true;
    isText = name === 't' && !isPhonetic;
  };
  const close = (name: string) => {
    if (name === 'si') strings.add(bounded(unescaped(text), longestText));
    else if (name === 'rPh') isPhonetic = false;
    isText = false;
  };
  const take = (part: string) => {
    if (isText) text = bounded(text + part, longestWritten);
  };
  try {
    for await (const _ of readXml(bytes, { open, close, text: take }));
    return strings;
  } catch (error) {
    strings.close();
    throw error;
  }
}

function bounded(text: string, most: number): string {
  if (text.length <= most) return text;
  throw problemOf(
    `The workbook has a text of more than ${longestText} characters, which no cell of one can hold`,
  );
}
