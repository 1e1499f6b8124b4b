import type { Id } from '@millrace/api';

/** The most items that an address can name. */
const most = 40;

/** The filter that selects certain items, as people read it; of very many the first ones. */
export function oneOf(ids: readonly Id[]): string {
  const named = [...new Set(ids.map(String))].slice(0, most);
  return named.map((id) => `id:${id}`).join(' or ');
}
