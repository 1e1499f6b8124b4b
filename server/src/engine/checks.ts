import type { ErrorDetail } from './errors.ts';

/**
 * The problems of a name that people must tell apart by eye: white space around it would be invisible.
 * @param current the present name of the thing, which may stay whatever it is
 */
export function nameProblems(name: string | undefined, current?: string): ErrorDetail[] {
  const field = 'name';
  if (name === undefined) return [{ field, message: 'is missing' }];
  if (name === current) return [];
  if (name.trim() === '') return [{ field, message: 'must not be blank' }];
  if (name.trim() !== name) return [{ field, message: 'must not begin or end with white space' }];
  const [character] = invisible.exec(name) ?? [];
  return character === undefined
    ? []
    : [{ field, message: `must not hold ${codeOf(character)}, which cannot be seen` }];
}

/** Control characters, and characters without width, that join others, or that turn the direction of writing. */
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** A character in the notation of Unicode, such as U+200B. */
function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** A name as it is stored: é is one character, however the sender composed it. */
export function storedName(name: string): string {
  return name.normalize('NFC');
}

/** Names with the same common form are one name to people: é in one character or in two, A in full width or not. */
export function commonForm(name: string): string {
  return name.normalize('NFKC');
}

/** The distinct names, sorted. */
export function namesOf(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}

/** The problems of texts that people must tell apart by eye: white space around them would be invisible. */
export function textProblems(field: string, texts: readonly string[]): ErrorDetail[] {
  return texts.flatMap((text) => {
    const isPlain = text !== '' && text === text.trim() && !invisible.test(text);
    const message = `must not begin or end with white space, or hold control or invisible characters: ${JSON.stringify(text.slice(0, 60))}`;
    return isPlain ? [] : [{ field, message }];
  });
}
