import { problemOf } from './problems.rules.ts';

/** Well above the 200 attributes of a model, so that a person learns which columns are too many. */
export const mostColumns = 1000;

const [quote, feed, carriage] = [34, 10, 13];

/**
 * Refuses a row of very many columns before the parser meets it, which would hold all of them in memory to make one row.
 * @returns a function that takes the text of the file, part by part, and returns the row reached; it throws the refusal
 */
export function columnLimit(delimiter: string): (text: string) => number {
  const between = delimiter.charCodeAt(0);
  let [row, columns, isQuoted, last] = [1, 1, false, 0];
  return (text) => {
    for (let at = 0; at < text.length; at += 1) {
      const sign = text.charCodeAt(at);
      if (sign === quote) isQuoted = !isQuoted;
      else if (isQuoted) continue;
      else if (sign === between) columns += 1;
      else if (sign === feed || sign === carriage) {
        if (sign === carriage || last !== carriage) row += 1;
        columns = 1;
      }
      if (columns > mostColumns) throw tooManyColumns(row);
      last = sign;
    }
    return row;
  };
}

/** The refusal of a row with very many columns. */
export function tooManyColumns(row: number): Error {
  const message = `has more than ${mostColumns} columns. Leave out those that stand for nothing`;
  return problemOf(message, row);
}

const candidates = [',', ';', '\t', '|'];
const looked = 20;

/**
 * The delimiter of a file, from its beginning: the one with the most consistent number of columns, and of equals the one with the most
 * columns. A comma where there is one column.
 */
export function delimiterOf(start: string): string {
  const [, declared] = /^sep=([,;\t|])\r?\n/i.exec(start) ?? [];
  if (declared !== undefined) return declared;
  let best = { delimiter: ',', alike: 0, columns: 1 };
  for (const delimiter of candidates) {
    const counts = columnCounts(start, delimiter);
    const [columns = 1] = counts;
    const alike = counts.filter((count) => count === columns).length / counts.length;
    if (columns < 2) continue;
    if (alike > best.alike || (alike === best.alike && columns > best.columns))
      best = { delimiter, alike, columns };
  }
  return best.delimiter;
}

/** Whether the file begins with the line that declares the delimiter to Excel. */
export function declaresDelimiter(start: string): boolean {
  return /^sep=.\r?\n/i.test(start);
}

/** Number of columns in each of the first rows. */
function columnCounts(text: string, delimiter: string): number[] {
  const between = delimiter.charCodeAt(0);
  const counts: number[] = [];
  let [columns, isQuoted, isBlank] = [1, false, true];
  for (let at = 0; at < text.length && counts.length < looked; at += 1) {
    const sign = text.charCodeAt(at);
    const isEnd = !isQuoted && (sign === feed || sign === carriage);
    if (sign === quote) isQuoted = !isQuoted;
    else if (!isQuoted && sign === between) columns += 1;
    if (!isEnd) isBlank = false;
    else {
      if (!isBlank) counts.push(columns);
      [columns, isBlank] = [1, true];
    }
  }
  // The last row may be cut in the middle, unless it is the only one.
  return counts.length === 0 ? [columns] : counts;
}

/** The encoding marked by the first bytes of a file. */
export function markedEncoding(start: Uint8Array): string | undefined {
  const [first, second, third] = start;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
}

/** UTF-16 without a mark, recognized by the zeros in every second byte. */
export function unmarkedUtf16(start: Uint8Array): string | undefined {
  const pairs = Math.floor(start.length / 2);
  let [even, odd] = [0, 0];
  for (let at = 0; at + 1 < start.length; at += 2) {
    if (start[at] === 0) even += 1;
    if (start[at + 1] === 0) odd += 1;
  }
  if (pairs < 2) return undefined;
  if (odd > pairs * 0.3 && even < pairs * 0.05) return 'utf-16le';
  return even > pairs * 0.3 && odd < pairs * 0.05 ? 'utf-16be' : undefined;
}
