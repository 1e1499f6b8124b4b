import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
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

const blockBytes = 1024 * 1024;
const windowBytes = 16 * 1024;
const none = Buffer.alloc(0);

/**
 * Bytes, one behind the other: the first of them in memory, the others in a file that has no name any more and is gone with the process,
 * however that ends. It reads and writes that while its thread waits.
 */
class ByteStore {
  readonly #blocks: Buffer[] = [];
  readonly #mostBlocks: number;
  /** The block that is being filled. */
  #last = Buffer.allocUnsafe(blockBytes);
  #length = 0;
  #file: number | undefined;
  /** The part of the file that was just read, and the one behind it. */
  #window = none;
  #windowFrom = 0;

  /** @param most bytes in memory */
  constructor(most: number) {
    this.#mostBlocks = Math.ceil(most / blockBytes);
  }

  get length(): number {
    return this.#length;
  }

  append(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const copied = bytes.copy(this.#last, this.#length % blockBytes, at);
      at += copied;
      this.#length += copied;
      if (this.#length % blockBytes === 0) this.#keepLast();
    }
  }

  /** The bytes from a place to before another one, as they are until the next are read. */
  read(from: number, to: number): Buffer {
    if (from === to) return none;
    const end = (Math.floor(from / blockBytes) + 1) * blockBytes;
    if (to <= end) return this.#readWithin(from, to);
    return Buffer.concat([Buffer.from(this.#readWithin(from, end)), this.read(end, to)]);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #keepLast(): void {
    if (this.#blocks.length < this.#mostBlocks) {
      this.#blocks.push(this.#last);
      this.#last = Buffer.allocUnsafe(blockBytes);
      return;
    }
    this.#file ??= openNameless();
    const place = this.#length - blockBytes - this.#mostBlocks * blockBytes;
    for (let at = 0; at < blockBytes;)
      at += writeSync(this.#file, this.#last, at, blockBytes - at, place + at);
  }

  /** Bytes of one block. */
  #readWithin(from: number, to: number): Buffer {
    const index = Math.floor(from / blockBytes);
    const start = index * blockBytes;
    const block = index === Math.floor(this.#length / blockBytes) ? this.#last : this.#blocks[index];
    return block ? block.subarray(from - start, to - start) : this.#readFile(from, to);
  }

  #readFile(from: number, to: number): Buffer {
    if (from < this.#windowFrom || to > this.#windowFrom + this.#window.length) {
      const bytes = Buffer.allocUnsafe(Math.max(windowBytes, to - from));
      const place = from - this.#mostBlocks * blockBytes;
      const read = readSync(this.#file ?? -1, bytes, 0, bytes.length, place);
      [this.#window, this.#windowFrom] = [bytes.subarray(0, read), from];
    }
    return this.#window.subarray(from - this.#windowFrom, to - this.#windowFrom);
  }
}

function openNameless(): number {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-texts-'));
  try {
    return openSync(path.join(folder, 'texts'), 'wx+', 0o600);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
