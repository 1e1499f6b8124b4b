import { stringifyJson, type DownloadedFile, type Schemas } from '@millrace/api';
import { call } from '../connection/client.ts';
import { saveFile } from '../page/save.ts';
import { csvHead, csvLine } from './csv.ts';
import type { Event, EventQuery } from './rules.ts';

const most = 1000;

export type ExportFormat = 'NDJSON' | 'CSV';

/** The most events of an export: the browser has to hold the file. */
export const mostExported = 200_000;

/**
 * Saves the matching events, the newest first.
 * @param tell is told how many there are so far
 * @returns how many there were, and whether older ones had to be left out
 */
export async function exportEvents(
  query: EventQuery,
  format: ExportFormat,
  tell: (amount: number) => void,
  signal: AbortSignal,
): Promise<{ readonly amount: number; readonly isCut: boolean }> {
  // Without a byte order mark, a spreadsheet assumes another encoding.
  const parts = format === 'CSV' ? ['\ufeff', csvHead] : [];
  const lineOf = format === 'CSV' ? csvLine : (event: Event) => `${stringifyJson(event)}\n`;
  let amount = 0;
  let page: Schemas['EventPage'] | undefined;
  while (amount < mostExported && page?.isMore !== false) {
    const before = page?.cursor ?? 'now';
    page = await call('listEvents', { query: { ...query, before, limit: most } }, { signal });
    amount += page.list.length;
    parts.push(page.list.map(lineOf).join(''));
    tell(amount);
  }
  const type = format === 'CSV' ? 'text/csv' : 'application/x-ndjson';
  saveFile(new Blob(parts, { type }), `events.${format === 'CSV' ? 'csv' : 'ndjson'}`);
  return { amount, isCut: page?.isMore === true };
}

/** Saves the sealed audit trail; the server records that. */
export async function exportAudit(signal: AbortSignal): Promise<void> {
  const answer: unknown = await call('exportAudit', { body: {} }, { signal });
  const { fileName = 'audit.ndjson', body } = answer as DownloadedFile;
  saveFile(await new Response(body).blob(), fileName);
}
