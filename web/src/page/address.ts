import { createStore } from '../store/store.ts';

/** Parts of an address that were not what they should be, and the path of the page that they were for. */
export const dropped = createStore<{ readonly path: string; readonly names: readonly string[] } | undefined>(
  undefined,
);

/**
 * Reads the part of an address behind `?`, for `validateSearch` of a page: members that have the form they should. Whatever else an
 * address says is left out, which the page says.
 * @param forms the form of each member that the page knows
 */
export function address<Name extends string>(forms: Record<Name, RegExp>) {
  const names = Object.keys(forms) as Name[];
  return (search: Record<string, unknown>): { [N in Name]?: string } => {
    // Said to be undefined otherwise, as the router keeps what it is not told of.
    note(
      names.filter((name) => search[name] !== undefined && textIn(search[name], forms[name]) === undefined),
    );
    const members = names.map((name) => [name, textIn(search[name], forms[name])] as const);
    return Object.fromEntries(members) as { [N in Name]?: string };
  };
}

/** Later: an address is read while a page is drawn. */
function note(names: readonly string[]): void {
  if (names.length > 0) queueMicrotask(() => dropped.set({ path: location.pathname, names }));
}

function textIn(value: unknown, form: RegExp): string | undefined {
  return typeof value === 'string' && form.test(value) ? value : undefined;
}
