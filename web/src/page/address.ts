import { createStore } from '../store/store.ts';

/** The invalid parts of an address, and the path of their page. */
export const dropped = createStore<{ readonly path: string; readonly names: readonly string[] } | undefined>(
  undefined,
);

/**
 * Reads the part of an address behind `?`, for `validateSearch` of a page: the known members with a valid form. Invalid ones are left out,
 * and the page says so.
 * @param forms the form of each member that the page knows
 */
export function address<Name extends string>(forms: Record<Name, RegExp>) {
  const names = Object.keys(forms) as Name[];
  return (search: Record<string, unknown>): { [N in Name]?: string } => {
    // Explicitly undefined, as the router keeps members that are missing here.
    note(
      names.filter((name) => search[name] !== undefined && textIn(search[name], forms[name]) === undefined),
    );
    const members = names.map((name) => [name, textIn(search[name], forms[name])] as const);
    return Object.fromEntries(members) as { [N in Name]?: string };
  };
}

/** Deferred, as an address is read during rendering. */
function note(names: readonly string[]): void {
  if (names.length > 0) queueMicrotask(() => dropped.set({ path: location.pathname, names }));
}

function textIn(value: unknown, form: RegExp): string | undefined {
  return typeof value === 'string' && form.test(value) ? value : undefined;
}
