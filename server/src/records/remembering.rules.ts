/**
 * The same function, which makes for a name what it has made for it before. It forgets all when it knows so many: callers may choose the
 * names, and there are more of those than there is memory.
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
