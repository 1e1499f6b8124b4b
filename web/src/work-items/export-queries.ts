import type { DownloadedFile, Id } from '@millrace/api';
import { call, session } from '../connection/client.ts';
import { saveFile } from '../page/save.ts';
import type { ExportRequest } from './export-rules.ts';

export function mayReveal(): boolean {
  const now = session.get();
  return now.state !== 'none' && now.user.permissions.some(({ name }) => name === 'revealSensitive');
}

/**
 * Saves the items that a filter selects as a file. One that breaks off is not saved.
 * @param tell is told of how many bytes there are so far
 * @returns the name of the file
 */
export async function exportItems(
  id: Id,
  body: ExportRequest,
  tell: (bytes: number) => void,
  signal: AbortSignal,
): Promise<string> {
  // The table of operations says of files that they answer nothing.
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
