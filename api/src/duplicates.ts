/** An open list or object: its names so far, and the position or name of the present member. */
interface Open {
  readonly names: Set<string> | undefined;
  at: string | number;
}

const parts = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},:]/gs;

/**
 * The path to the first name that an object in this text has twice, for text known to be JSON; empty when there is none. Parsers silently
 * keep the last of two members.
 * @param first the position of the first member, where the text is a part of a list.
 */
export function wayToDuplicate(text: string, first = 0): (string | number)[] {
  const open: Open[] = [];
  let name = '';
  for (const [part] of text.matchAll(parts)) {
    const at = open.at(-1);
    if (part === '[') open.push({ names: undefined, at: open.length === 0 ? first : 0 });
    else if (part === '{') open.push({ names: new Set(), at: '' });
    else if (part === ']' || part === '}') open.pop();
    else if (part === ',' && typeof at?.at === 'number') at.at += 1;
    else if (part === ':' && at?.names) {
      at.at = JSON.parse(name) as string;
      if (at.names.has(at.at)) return open.map((one) => one.at);
      at.names.add(at.at);
    } else name = part;
  }
  return [];
}
