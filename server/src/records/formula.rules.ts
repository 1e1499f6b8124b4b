/**
 * Texts that a spreadsheet would run as formulas when it opens a CSV file: those that begin with one of these signs. Excel takes the
 * full-width ones for the others.
 */
const formula = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const marked = /^'+[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** Whether a spreadsheet may take a text for a formula. */
export function isFormula(text: string): boolean {
  return formula.test(text);
}

/** The text with an apostrophe before what may be a formula; one that has apostrophes there gets another, so that none is lost on the way back. */
export function defused(text: string): string {
  return isFormula(text) || marked.test(text) ? `'${text}` : text;
}

/** The text without the apostrophe that `defused` puts before it. */
export function withoutMark(text: string): string {
  return marked.test(text) ? text.slice(1) : text;
}
