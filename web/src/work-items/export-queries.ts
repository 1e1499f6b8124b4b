import type { DownloadedFile, Id } from '@millrace/api';
import { call, session } from '../connection/client.ts';
import { saveFile } from '../page/save.ts';
import type { ExportRequest } from './export-rules.ts';

export function mayReveal(): boolean {
  const now = session.get();
  return now.state !== 'none' && now.user.permissions.some(({ name }) => name === 'revealSensitive');
}

/**
 * Saves the items that a filter selects as a file. A broken download is not saved.
 * @param tell is told the number of bytes so far
 * @returns the name of the file
 */
export async function exportItems(
  id: Id,
  body: ExportRequest,
  tell: (bytes: number) => void,
  signal: AbortSignal,
): Promise<string> {
  // In the table of operations, files have no type of answer.
  const answer: unknown = await call('exportWorkItems', { path: { id }, body }, { signal });
  const { fileName = 'items', mediaType, body: content } = answer as DownloadedFile;
  const parts: BlobPart[] = [];
  let bytes = 0;
  const reader = content.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(next.value as Uint8Array<ArrayBuffer>);
    bytes += next.value.byteLength;
    tell(bytes);
  }
  saveFile(new Blob(parts, { type: mediaType }), fileName);
  return fileName;
}
