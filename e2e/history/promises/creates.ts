import { notesOf } from '../record.ts';
import { isGone, type Case } from '../timelines.ts';

export function keptCreates(known: Case): string[] {
  const keys = new Map(known.items.map(({ id, key }) => [id, key]));
  return notesOf(known, 'created')
    .filter(({ id, key }) => keys.get(id) !== key && !(isGone(known.changes.get(id)) && !keys.has(id)))
    .map(({ id, key }) => `item ${id} was acknowledged for ${key}; there is ${keys.get(id) ?? 'none'}`);
}

export function singleCreates(known: Case): string[] {
  const asked = new Set(notesOf(known, 'creating').flatMap(({ keys }) => keys));
  const seen = new Set<string>();
  return known.items.flatMap(({ id, key }) => {
    if (!asked.has(key)) return [`item ${id} has the key ${key}, which nobody has sent`];
    if (seen.has(key)) return [`item ${id} has the key ${key} of another item`];
    seen.add(key);
    return [];
  });
}
