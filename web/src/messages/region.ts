// Where nobody has said how English is written: as in most of the world, which is not as in the United States.
const elsewhere = 'en-001';

/**
 * English with the numbers and dates of a region: day before month and a decimal comma where readers are used to them.
 * @param language of the browser, such as `de-AT`
 */
export function localeFor(language: string): string {
  const { region } = new Intl.Locale(language).maximize();
  if (region === undefined) return elsewhere;
  const wanted = `en-${region}`;
  return new Intl.DateTimeFormat(wanted).resolvedOptions().locale === 'en' ? elsewhere : wanted;
}

// Outside of a browser, where tests read the texts, there is no document.
const { document, navigator } = globalThis as { document?: object; navigator?: { language: string } };

/** The locale of all numbers and dates: that of the browser's region. */
export const locale = document && navigator ? localeFor(navigator.language || 'en') : 'en';
