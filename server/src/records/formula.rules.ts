/**
 * Texts that a spreadsheet would run as formulas when it opens a CSV file: those that begin with one of these signs. Excel treats the
 * full-width ones like the others.
 */
const formula = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const marked = /^'+[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** Whether a spreadsheet may take a text for a formula. */
export function isFormula(text: string): boolean {
  return formula.test(text);
}

/**
 * The text with an apostrophe before a possible formula; a text that has apostrophes there gets one more, so that none is lost on the way
 * back.
 */
export function defused(text: string): string {
  return isFormula(text) || marked.test(text) ? `'${text}` : text;
}

/** The text without the apostrophe added by `defused`. */
export function withoutMark(text: string): string {
  return marked.test(text) ? text.slice(1) : text;
}
