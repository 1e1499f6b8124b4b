/** The columns with one shown as the last, or no longer shown. */
export function toggled(chosen: readonly string[], id: string): string[] {
  return chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id];
}

/** The columns with one moved by a place; as they are where it is at the end already. */
export function movedBy(chosen: readonly string[], id: string, by: 1 | -1): readonly string[] {
  const [from, to] = [chosen.indexOf(id), chosen.indexOf(id) + by];
  const other = chosen[to];
  if (from < 0 || other === undefined) return chosen;
  return chosen.map((one, index) => (index === from ? other : index === to ? id : one));
}
