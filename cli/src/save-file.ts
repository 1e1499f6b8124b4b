import { createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DownloadedFile } from '@millrace/api';
import { UsageError } from './errors.ts';
import { createLiveLine, type LiveLine } from './live-line.ts';
import type { Terminal } from './terminal.ts';
import { sizeText } from './upload-progress.ts';

/** A saved file, and its size in bytes. */
interface SavedFile {
  readonly file: string;
  readonly size: number;
}

/**
 * Saves a file from the server as it comes.
 * @param target where to, or - for stdout; when left out, the server's name for it, in this folder
 * @returns undefined where it went to stdout
 */
export async function saveFile(
  terminal: Terminal,
  { body, fileName = 'download' }: DownloadedFile,
  target?: string,
): Promise<SavedFile | undefined> {
  const bytes = Readable.fromWeb(body);
  if (target === '-') {
    await print(bytes);
    return undefined;
  }
  const file = target ?? ownName(fileName);
  return { file, size: await save(terminal, file, bytes) };
}

/** A name that nobody has chosen must not overwrite a file: somebody may have worked on it. */
function ownName(fileName: string): string {
  const file = path.basename(fileName);
  if (existsSync(file)) throw new UsageError(`${file} cannot be written: it is there already. Name another.`);
  return file;
}

/** Saves the bytes under the name of the file once all have come: a cut file is none. */
async function save(terminal: Terminal, file: string, bytes: Readable): Promise<number> {
  const line = createLiveLine(terminal);
  const part = `${file}.part`;
  try {
    const size = await counted(bytes, createWriteStream(part), line, file);
    await rename(part, file);
    return size;
  } catch (error) {
    await rm(part, { force: true });
    throw (error as { syscall?: string }).syscall === 'open'
      ? new UsageError(`${file} cannot be written: ${(error as Error).message}.`)
      : cutOff(error);
  } finally {
    line.end();
  }
}

async function print(bytes: Readable): Promise<number> {
  await pipeline(bytes, process.stdout, { end: false }).catch((error: unknown) => {
    throw cutOff(error);
  });
  return 0;
}

const shownEveryMs = 200;

async function counted(
  bytes: Readable,
  to: NodeJS.WritableStream,
  line: LiveLine,
  name: string,
): Promise<number> {
  let [size, shownAt] = [0, 0];
  bytes.on('data', (chunk: Uint8Array) => {
    size += chunk.byteLength;
    if (performance.now() - shownAt < shownEveryMs) return;
    shownAt = performance.now();
    line.update(`${path.basename(name)}  ${sizeText(size)}`);
  });
  await pipeline(bytes, to);
  return size;
}

/** The connection broke, or the server has ended the answer in the middle. */
function cutOff(error: unknown): unknown {
  const { name, message } = error as Error;
  if (name === 'Interrupted' || (message !== 'terminated' && name !== 'AbortError')) return error;
  return new Error(
    'The server has cut the file in the middle, and nothing was saved. Of an export, the event of its end says why: `millrace events --operation exportWorkItems`.',
  );
}
