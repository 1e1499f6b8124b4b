/** A part of a text: as it stands, or an address of the web. */
export interface Part {
  readonly text: string;
  /** Where it leads, and to whom where the text does not say so itself. */
  readonly link?: { readonly href: string; readonly host: string | undefined };
}

// Up to what no address has as it stands, such as what cannot be seen.
const address =
  /\bhttps?:\/\/[^\s"'<>`\\^{|}\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+/gi;
/** The signs that end a sentence, and not an address. */
const closing = /[.,;:!?)\]]+$/;

/** The parts of a text, in their order; together they are the text. Only addresses of http and https lead anywhere. */
export function partsIn(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(address)) {
    const written = found.replace(closing, '');
    if (!URL.canParse(written)) continue;
    parts.push({ text: text.slice(end, index) }, { text: written, link: linkTo(written) });
    end = index + written.length;
  }
  parts.push({ text: text.slice(end) });
  return parts.filter((part) => part.text !== '');
}

/** The host is told where somebody may take another one for it: before an `@`, or in letters that look like others. */
function linkTo(written: string): NonNullable<Part['link']> {
  const { href, host, protocol, username } = new URL(written);
  const isWritten = username === '' && written.toLowerCase().startsWith(`${protocol}//${host}`);
  return { href, host: isWritten ? undefined : host };
}

/** As many characters as are shown before somebody asks for more. */
const longest = 10_000;

export function isLong(text: string): boolean {
  return text.length > longest;
}

/** The beginning of a long text: neither an address nor a character is cut through. */
export function beginningOf(text: string): string {
  return text
    .slice(0, longest)
    .replace(/[\ud800-\udbff]$/, '')
    .replace(/\bhttps?:\/\/\S*$/i, '');
}
