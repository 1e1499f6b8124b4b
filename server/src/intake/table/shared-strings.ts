import type { Readable } from 'node:stream';
import { unescaped } from './excel.rules.ts';
import { refusedKinds } from './kinds.rules.ts';
import { problemOf } from './problems.rules.ts';
import { readXml } from './xml.ts';

const mostBytes = 128 * 1024 * 1024;
const mostTexts = 8 * 1024 * 1024;
const blockBytes = 1024 * 1024;

/** The texts that the cells of a workbook share, as bytes: as strings a million of them would take a hundred megabytes. */
export class SharedStrings {
  readonly #blocks: Buffer[] = [Buffer.allocUnsafe(blockBytes)];
  #used = 0;
  #bytes = 0;
  /** Where each text begins, its block counted in, and its length: eight bytes a text, as empty ones cost a sender nothing. */
  #places = new Uint32Array(1024);
  #count = 0;
  readonly #most: number;

  constructor(most = mostTexts) {
    this.#most = most;
  }

  add(text: string): void {
    const length = Buffer.byteLength(text);
    this.#bytes += length;
    if (this.#bytes > mostBytes || this.#count >= this.#most) throw problemOf(refusedKinds.manyTexts);
    let block = this.#blocks.at(-1);
    if (!block || this.#used + length > block.length) {
      block = Buffer.allocUnsafe(Math.max(blockBytes, length));
      this.#blocks.push(block);
      this.#used = 0;
    }
    block.write(text, this.#used);
    if (this.#count * 2 + 2 > this.#places.length) this.#grow();
    this.#places[this.#count * 2] = (this.#blocks.length - 1) * blockBytes + this.#used;
    this.#places[this.#count * 2 + 1] = length;
    this.#used += length;
    this.#count += 1;
  }

  /** The text of this number; undefined when there is none. */
  at(index: number): string | undefined {
    if (!(index >= 0 && index < this.#count)) return undefined;
    const [place = 0, length = 0] = this.#places.subarray(index * 2, index * 2 + 2);
    const start = place % blockBytes;
    return this.#blocks[Math.floor(place / blockBytes)]?.toString('utf8', start, start + length);
  }

  #grow(): void {
    const places = new Uint32Array(this.#places.length * 2);
    places.set(this.#places);
    this.#places = places;
  }
}

/** Reads the shared texts of a workbook; of one in several formats the parts together, without what tells how it is pronounced. */
export async function readSharedStrings(bytes: Readable): Promise<SharedStrings> {
  const strings = new SharedStrings();
  let [text, isText, isPhonetic] = ['', false, false];
  const open = (name: string) => {
    if (name === 'si') text = '';
    else if (name === 'rPh') isPhonetic = true;
    isText = name === 't' && !isPhonetic;
  };
  const close = (name: string) => {
    if (name === 'si') strings.add(unescaped(text));
    else if (name === 'rPh') isPhonetic = false;
    isText = false;
  };
  for await (const _ of readXml(bytes, { open, close, text: (part) => void (isText && (text += part)) }));
  return strings;
}
