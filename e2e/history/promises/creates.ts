import { notesOf } from '../record.ts';
import { isGone, type Case } from '../timelines.ts';

export function keptCreates(known: Case): string[] {
  const keys = new Map(known.items.map(({ id, key }) => [id, key]));
  return notesOf(known, 'created')
    .filter(({ id, key }) => keys.get(id) !== key && !(isGone(known.changes.get(id)) && !keys.has(id)))
    .map(({ id, key }) => `item ${id} was acknowledged for ${key}; there is ${keys.get(id) ?? 'none'}`);
}

export function singleCreates(known: Case): string[] {
  const asked = new Set(notesOf(known, 'creating', 'uploading').flatMap(({ keys }) => keys));
  const seen = new Set<string>();
  return known.items.flatMap(({ id, key }) => {
    if (!asked.has(key)) return [`item ${id} has the key ${key}, which nobody has sent`];
    if (seen.has(key)) return [`item ${id} has the key ${key} of another item`];
    seen.add(key);
    return [];
  });
}

/** Whether a file was cut by its sender or by the death of a server or of the database: all of it is there, or nothing. */
export function wholeUploads(known: Case): string[] {
  const there = new Set([...known.items.map(({ key }) => key), ...deletedKeys(known)]);
  const told = new Set(notesOf(known, 'uploaded').flatMap(({ keys }) => keys));
  return notesOf(known, 'uploading').flatMap(({ keys }) => {
    const found = keys.filter((key) => there.has(key)).length;
    if (found === keys.length || (found === 0 && !keys.some((key) => told.has(key)))) return [];
    return [`of the ${keys.length} rows of a file, from ${keys[0]} on, ${found} are there`];
  });
}

/** The keys of items that people have deleted: their events have the data. */
function deletedKeys({ record }: Case): string[] {
  return record.flatMap(({ to, from, changes }) => {
    const json = from !== undefined && to === undefined ? changes?.['json'] : undefined;
    return json === undefined ? [] : [String((json as Record<string, unknown>)['customer'])];
  });
}
