import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';

const readAtOnce = 64 * 1024;

/**
 * Bytes that are written as fast as they come and read as fast as the reader takes them. In between they lie on disk, in a file without a
 * name: it is gone with the process, however that ends.
 */
export class Spool {
  readonly #file: FileHandle;
  #size = 0;
  #end: { readonly error?: Error | undefined } | undefined;
  #isRead = false;
  #wake: () => void = () => undefined;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(): Promise<Spool> {
    const folder = await mkdtemp(path.join(tmpdir(), 'millrace-export-'));
    const file = await open(path.join(folder, 'spool'), 'wx+', 0o600);
    await rm(folder, { recursive: true, force: true });
    return new Spool(file);
  }

  get size(): number {
    return this.#size;
  }

  /** Drops all written bytes, of which none may have been read. */
  clear(): void {
    this.#size = 0;
  }

  async write(bytes: Buffer): Promise<void> {
    // One call need not write all of a large piece.
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, this.#size + at);
      at += bytesWritten;
    }
    this.#size += bytes.length;
    this.#wake();
  }

  /** Marks the end. @param error the error that the reader meets after the last bytes */
  end(error?: Error): void {
    this.#end = { error };
    this.#wake();
    this.#closeWhenDone();
  }

  /** The bytes for the only reader. */
  read(): Readable {
    const stream = Readable.from(this.#pieces(), { objectMode: false, highWaterMark: readAtOnce });
    stream.once('close', () => {
      this.#isRead = true;
      this.#wake();
      this.#closeWhenDone();
    });
    return stream;
  }

  async *#pieces(): AsyncGenerator<Buffer> {
    let at = 0;
    while (!this.#isRead) {
      if (at < this.#size) {
        const length = Math.min(readAtOnce, this.#size - at);
        const { buffer, bytesRead } = await this.#file.read(Buffer.allocUnsafe(length), 0, length, at);
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      } else if (this.#end?.error) throw this.#end.error;
      else if (this.#end) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #closeWhenDone(): void {
    if (this.#end && this.#isRead) void this.#file.close().catch(() => undefined);
  }
}
