/**
 * The same function, with a cache of its results by name. The cache is cleared when it holds `most` names: callers may choose the names,
 * and there are more of those than fit into memory.
 */
export function remembering<T>(make: (name: string) => T, most: number): (name: string) => T {
  const known = new Map<string, { readonly made: T }>();
  return (name) => {
    const before = known.get(name);
    if (before) return before.made;
    const made = make(name);
    if (known.size >= most) known.clear();
    known.set(name, { made });
    return made;
  };
}
