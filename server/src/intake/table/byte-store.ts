import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const blockBytes = 1024 * 1024;
const windowBytes = 16 * 1024;
const none = Buffer.alloc(0);

/**
 * Bytes, one behind the other: the first of them in memory, the others in a file that has no name any more and is gone with the process,
 * however that ends. It reads and writes that while its thread waits.
 */
export class ByteStore {
  readonly #blocks: Buffer[] = [];
  readonly #mostBlocks: number;
  /** The block that is being filled. */
  #last = Buffer.allocUnsafe(blockBytes);
  #length = 0;
  #file: number | undefined;
  /** What was just read from the file, and what is behind it. */
  #window = none;
  #windowFrom = 0;

  /** @param mostBytes in memory */
  constructor(mostBytes: number) {
    this.#mostBlocks = Math.ceil(mostBytes / blockBytes);
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
