/** The text in columns, files and texts for a value that only some may see. */
export const maskText = '•••';

/** Whether a value in a record is a mask: an object, which no value of an attribute is. */
export function isMask(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (value as { masked?: unknown }).masked === maskText;
}

/** Whether a record hides a value. Masks stand only at its top level. */
export function hasMask(record: object = {}): boolean {
  return Object.values(record).some(isMask);
}

/** The record with a text in place of each mask. */
export function withMasksAs(text: string, record: unknown): unknown {
  if (typeof record !== 'object' || record === null || !hasMask(record)) return record;
  const members = Object.entries(record).map(([name, value]) => [
    name,
    isMask(value) ? text : (value as unknown),
  ]);
  return Object.fromEntries(members);
}
