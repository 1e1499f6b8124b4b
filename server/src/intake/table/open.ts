import { open } from 'node:fs/promises';
import type { ReadOptions, Table } from './cells.rules.ts';
import { openCsv } from './csv.ts';
import { openExcel, refuseContainer } from './excel.ts';
import { kindOf, refusedKinds } from './kinds.rules.ts';
import { problemOf } from './problems.rules.ts';

/**
 * Opens a file on disk by its actual kind, whatever its name.
 * @throws Refusal INVALID_REQUEST that names the actual kind, and the remedy
 */
export async function openTable(path: string, options: ReadOptions): Promise<Table> {
  const { kind, name = 'something else' } = kindOf(await startOf(path));
  if (kind === 'zip') return openExcel(path, options);
  if (kind === 'ole') return refuseContainer(path);
  if (kind === 'other') throw problemOf(refusedKinds.other(name));
  return openCsv(path, kind === 'gzip', options);
}

async function startOf(path: string): Promise<Uint8Array> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
