/**
 * The same function, with a cache of its results by name or number. The cache is cleared when it holds `most` of these: callers may choose
 * them, and there are more than fit into memory.
 */
export function remembering<N extends string | number = string, T = unknown>(
  make: (name: N) => T,
  most: number,
): (name: N) => T {
  const known = new Map<N, { readonly made: T }>();
  return (name) => {
    const before = known.get(name);
    if (before) return before.made;
    const made = make(name);
    if (known.size >= most) known.clear();
    known.set(name, { made });
    return made;
  };
}
