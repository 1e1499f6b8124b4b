/** Formats of dates in human notation, such as dd.mm.yyyy. */

import { remembering } from './remembering.rules.ts';

/** The time of day after a date. */
export const timePart = String.raw`(?:[T ](?<clock>\d{1,2}:\d\d(?::\d\d(?:\.\d{1,3})?)?))?`;

/** The reason why a date format is invalid. */
export function dateFormatProblem(format: string): string | undefined {
  return patternOf(format)
    ? undefined
    : `is made of yyyy or yy, mm, dd, and for the time HH, mm and ss, as in dd.mm.yyyy HH:mm, not "${format}"`;
}

const digits: Readonly<Record<string, string>> = { yyyy: '\\d{4}', yy: '\\d{2}' };

/** The pattern of a format, whose groups are the parts of a date; undefined for an invalid format. */
export const patternOf = remembering(compile, 100);

function compile(format: string): RegExp | undefined {
  const tokens = format.match(/[Yy]+|[Mm]+|[Dd]+|[Hh]+|[Ss]+|[^]/g) ?? [];
  const used = new Set<string>();
  const names = tokens.map((token) => {
    const name = partOf(token, used);
    if (name !== undefined) used.add(name);
    return name;
  });
  const isWhole = ['y', 'm', 'd'].every((name) => used.has(name));
  const isTimed = used.has('H') || !(used.has('M') || used.has('S'));
  // Other letters have meanings that are not supported here, such as AM and PM.
  const isKnown = tokens.every((token, at) => names[at] !== undefined || !/[A-SU-Za-z]/.test(token));
  if (!isWhole || !isTimed || !isKnown) return undefined;
  const source = tokens.map((token, at) => {
    if (names[at] === undefined) return token.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    // Without a separator, 1122026 would be the first of December, or the eleventh of February.
    const isBeside = names[at - 1] !== undefined || names[at + 1] !== undefined;
    return `(?<${names[at]}>${digits[token.toLowerCase()] ?? (isBeside ? '\\d{2}' : '\\d{1,2}')})`;
  });
  return new RegExp(`^${source.join('')}${used.has('H') ? '' : timePart}$`);
}

/** The meaning of a part of a format: minutes have the same letter as months, and come after the hour. */
function partOf(token: string, used: ReadonlySet<string>): string | undefined {
  const letter = token[0]?.toLowerCase() ?? '';
  if (token.length > (letter === 'y' ? 4 : 2)) return undefined;
  const name = {
    y: 'y',
    d: 'd',
    h: 'H',
    s: 'S',
    m: used.has('H') || (used.has('m') && token === 'mm') ? 'M' : 'm',
  }[letter];
  return name === undefined || used.has(name) ? undefined : name;
}
