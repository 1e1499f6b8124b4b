import { wellFormed } from './cells.rules.ts';

/** Of a cell, in characters: the limit of the format itself. */
export const longestText = 32_767;

/** The kind of value that a number format shows. */
export type NumberStyle = 'plain' | 'date' | 'time' | { readonly digits: number };

/** The number formats for dates or times that workbooks refer to by number alone. */
const builtIn = new Map<number, NumberStyle>([
  ...[14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58].map(
    (id) => [id, 'date'] as const,
  ),
  ...[18, 19, 20, 21, 32, 33, 34, 35, 45, 46, 47, 55, 56].map((id) => [id, 'time'] as const),
]);

/** The style of a number format, by its code where the workbook has one for it, otherwise by its number. */
export function styleOf(id: number, code: string | undefined): NumberStyle {
  if (code === undefined) return builtIn.get(id) ?? 'plain';
  const [positive = ''] = code.split(';');
  const bare = positive.replace(/"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, '');
  if (/[yd]/i.test(bare) || /^[^hs]*m[^hs]*$/i.test(bare)) return 'date';
  if (/[hs]/i.test(bare)) return 'time';
  return /^0{2,}$/.test(bare) ? { digits: bare.length } : 'plain';
}

/** A text as it was typed: characters that XML cannot hold are stored by their numbers. */
export function unescaped(text: string): string {
  if (!text.includes('_x')) return text;
  const characters = text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  return wellFormed(characters);
}
