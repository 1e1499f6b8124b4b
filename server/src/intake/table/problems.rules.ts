import { Refusal } from '../../engine/errors.ts';

/** The refusal of a file that cannot be read, with the row where reading ended, if there is one. */
export function problemOf(message: string, row?: number): Refusal {
  const sentence = row === undefined ? message : `Row ${row}: ${message}`;
  return new Refusal('INVALID_REQUEST', `${sentence}. Nothing was created.`, {
    details: row === undefined ? [{ message }] : [{ row, message }],
  });
}

const problemByCode: Record<string, string> = {
  CSV_QUOTE_NOT_CLOSED: 'opens a quote that is never closed',
  CSV_INVALID_CLOSING_QUOTE:
    'goes on behind a quote that is closed. Double the quotes inside a cell, or look for one in the rows above that is not closed',
  INVALID_OPENING_QUOTE:
    'has a quote in the middle of a cell. Put the whole cell in quotes, and double those inside it',
  CSV_MAX_RECORD_SIZE: 'is longer than 1 MiB. Look for a quote that is not closed',
};

/** The problem of a row at which reading ended; undefined for other reasons. */
export function unreadableRow(code: string): string | undefined {
  return problemByCode[code] ?? (code.startsWith('CSV_') ? 'cannot be read as CSV' : undefined);
}
