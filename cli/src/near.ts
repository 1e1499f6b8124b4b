import leven from 'leven';

const most = 3;

/** The known names nearest to a text, the nearest first. */
export function nearTo(text: string, known: readonly string[]): string[] {
  const meant = text.toLowerCase();
  const slips = Math.max(1, Math.floor(meant.length * 0.4));
  return known
    .map((name) => ({ name, distance: distanceOf(meant, name.toLowerCase()) }))
    .filter(({ distance }) => distance <= slips)
    .toSorted((one, other) => one.distance - other.distance)
    .slice(0, most)
    .map(({ name }) => name);
}

/** "Did you mean a or b?"; empty when nothing is near. */
export function didYouMean(text: string, known: readonly string[]): string {
  const near = nearTo(text, known);
  return near.length === 0 ? '' : `Did you mean ${near.join(' or ')}?`;
}

/** The edit distance between the two; a part of a name counts as one edit at most. */
function distanceOf(meant: string, name: string): number {
  const slips = leven(meant, name);
  return meant.length > 2 && name.includes(meant) ? Math.min(1, slips) : slips;
}
