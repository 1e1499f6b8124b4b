/** A page that was opened. */
export interface Visit {
  readonly path: string;
  readonly title: string;
}

const mostVisits = 12;
const longestTitle = 300;

/** The visits with one more; a page visited before is listed once. */
export function withVisit(visits: readonly Visit[], visit: Visit): readonly Visit[] {
  return [visit, ...visits.filter(({ path }) => path !== visit.path)].slice(0, mostVisits);
}

/** The visits that a browser has kept of a user, without invalid ones; none where they are another user's. */
export function readRecent(text: string | null, userId: string): readonly Visit[] {
  try {
    const kept = JSON.parse(text ?? '{}') as { readonly userId?: unknown; readonly visits?: unknown };
    if (kept.userId !== userId || !Array.isArray(kept.visits)) return [];
    return kept.visits.filter(isVisit).slice(0, mostVisits);
  } catch {
    return [];
  }
}

function isVisit(value: unknown): value is Visit {
  const { path, title } = (value ?? {}) as { readonly path?: unknown; readonly title?: unknown };
  const isTitle = typeof title === 'string' && title.length <= longestTitle;
  return isTitle && typeof path === 'string' && addressIn(path, 'https://any.invalid') === path;
}

const base = '/console/';

/** The path of an address in this console, without the server; undefined for any other text, and for other servers. */
export function addressIn(text: string, origin: string): string | undefined {
  const typed = text.trim();
  if (!/^(?:https?:\/\/|\/console\/)/.test(typed) || !URL.canParse(typed, origin)) return undefined;
  const { origin: server, pathname, search } = new URL(typed, origin);
  return server === origin && pathname.startsWith(base) ? pathname + search : undefined;
}

/** The item that an address in this console leads to. */
export function itemAt(address: string): { readonly queueId: string; readonly id: string } | undefined {
  const [, queueId, id] = /^\/console\/queues\/(\d+)\/workitems\/(\d+)(?:\?|$)/.exec(address) ?? [];
  return queueId !== undefined && id !== undefined ? { queueId, id } : undefined;
}
