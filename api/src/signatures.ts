/** No signature is longer. */
export const longestSignature = 200;

// Of a longer error, the beginning tells what went wrong.
const readCharacters = 2000;

/** The signature of failures that came without an error. */
const unsaid = '(no error)';

// Each in a group named by its placeholder; the first that fits a position counts. Status codes stay, as they tell failures apart. Quotes inside of a quoted text have a backslash, where JSON has written it.
const variable = new RegExp(
  [
    String.raw`(?<kept>\b(?:HTTP|status|code)[ :=]{1,3}[1-5]\d\d\b)`,
    String.raw`(?<link>\b[a-z][a-z\d+]{1,9}:\/\/[^\s"'<>]+)`,
    String.raw`(?<id>[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+|\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b|\b(?=[a-f]{0,40}\d)[\da-f]{12,64}\b)`,
    String.raw`(?<text>"(?:[^"\\\n]|\\.){0,500}"(?![\p{L}\d])|"[^"\n]{0,500}"|“[^”]{0,500}”|«[^»]{0,500}»|„[^“”]{0,500}[“”]|\x60[^\x60]{0,500}\x60|(?<![\p{L}\d])'[^'\n]{0,500}'(?![\p{L}\d]))`,
    String.raw`(?<path>(?:\b[A-Za-z]:)?(?:[\\/][\p{L}\d_.@%~+-]+){2,}[\\/]?)`,
    String.raw`(?<time>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)?|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?\b)`,
    String.raw`(?<word>[\p{L}_][\p{L}\d_]*(?:[-#][\p{L}\d_]+)*)`,
    String.raw`(?<number>[+-]?\d+(?:[.,'’]\d+)*)`,
  ].join('|'),
  'giu',
);

/**
 * The common part of failures with one cause: the error without numbers, ids, quoted texts, times, paths and links, each replaced by
 * `<number>` and so on, in one line of at most 200 characters. Errors with the same signature are taken for one cause.
 */
export function signatureOf(error: string | null | undefined): string {
  const line = lineOf(error ?? '');
  const signature = line.replaceAll(variable, (part, ...more: unknown[]) =>
    placeholder(part, more.at(-1) as Readonly<Record<string, string | undefined>>),
  );
  return cut(signature) || unsaid;
}

/** The error in one line. A stack trace of Python has its message at the end. */
function lineOf(error: string): string {
  const text = error.replaceAll(/\u001B\[[\d;]*m/g, '');
  const lines = text
    .slice(0, readCharacters)
    .replace(/[\uD800-\uDBFF]$/, '')
    .split(/\r?\n/);
  const isTrace = lines[0]?.startsWith('Traceback ') === true;
  const last =
    text
      .slice(-readCharacters)
      .replace(/^[\uDC00-\uDFFF]/, '')
      .trimEnd()
      .split(/\r?\n/)
      .at(-1) ?? '';
  return (isTrace ? last : lines.join(' ')).replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
}

function placeholder(part: string, groups: Readonly<Record<string, string | undefined>>): string {
  const [name = ''] = Object.entries(groups).find(([, value]) => value !== undefined) ?? [];
  if (name === 'kept') return part;
  if (name === 'word') return /\d/.test(part) ? '<id>' : part;
  return `<${name}>`;
}

/** The beginning, without half a character or half a placeholder at its end. */
function cut(signature: string): string {
  if (signature.length <= longestSignature) return signature;
  return signature
    .slice(0, longestSignature)
    .replace(/(?:[\uD800-\uDBFF]|<[a-z]{0,6})$/, '')
    .trimEnd();
}
