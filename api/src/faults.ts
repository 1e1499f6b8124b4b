/** A fault in a text that should be JSON, worded to follow the names and positions that lead to it. */
interface Fault {
  readonly way: (string | number)[];
  readonly message: string;
}

/** An open list or object, and the position or name of the present member. */
interface Open {
  readonly isList: boolean;
  at: string | number | undefined;
}

const value = { text: 'more', plain: 'more', '[': 'a value or ]', '{': 'a name in double quotes or }' };
/** The tokens that may follow where something is expected, and the expectation after each; `more` where that depends on the open list or object. */
const grammar = {
  'a value': value,
  'a value or ]': { ...value, ']': 'more' },
  'a name in double quotes': { text: ':' },
  'a name in double quotes or }': { text: ':', '}': 'more' },
  ':': { ':': 'a value' },
  'a comma or ]': { ',': 'a value', ']': 'more' },
  'a comma or }': { ',': 'a name in double quotes', '}': 'more' },
  'the end': {},
};
type Wanted = keyof typeof grammar;

const parts = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},:]|[^ \t\r\n"[\]{},:]+|"/gs;
const plain = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;
const longestShown = 20;

/**
 * The first fault by which a text is no JSON or cannot be stored. Parsers word their errors differently, and most of them name no member.
 * @param first the position of the first member, where the text is a part of a list.
 */
export function faultIn(text: string, first = 0): Fault | undefined {
  const walk = new Walk(first);
  for (const { 0: part, index } of text.matchAll(parts)) {
    const fault = walk.take(part, text.slice(index, index + longestShown + 1));
    if (fault) return fault;
  }
  return walk.end();
}

class Walk {
  readonly #open: Open[] = [];
  readonly #first: number;
  #wanted: Wanted = 'a value';

  constructor(first: number) {
    this.#first = first;
  }

  /** @param shown where the part begins in its text */
  take(part: string, shown: string): Fault | undefined {
    const kind = kindOf(part);
    const next = (grammar[this.#wanted] as Record<string, Wanted | 'more'>)[kind];
    const found = shown.length > longestShown ? `${shown.slice(0, longestShown)}…` : shown;
    if (next === undefined) return this.#misplaced(JSON.stringify(found));
    const isName = next === ':';
    const problem = kind === 'text' && problemOf(part);
    if (problem) return this.#fault(isName ? `has a name that ${problem}` : problem, isName);
    this.#follow(kind, isName ? (JSON.parse(part) as string) : undefined);
    this.#wanted = next === 'more' ? this.#behindValue() : next;
    return undefined;
  }

  /** Opens and closes lists and objects by the part, and goes on to the next member. */
  #follow(kind: string, name: string | undefined): void {
    const at = this.#open.at(-1);
    if (at && name !== undefined) at.at = name;
    else if (kind === ',' && typeof at?.at === 'number') at.at += 1;
    else if (kind === '[') this.#open.push({ isList: true, at: at ? 0 : this.#first });
    else if (kind === '{') this.#open.push({ isList: false, at: undefined });
    else if (kind === ']' || kind === '}') this.#open.pop();
  }

  end(): Fault | undefined {
    return this.#wanted === 'the end' ? undefined : this.#misplaced('the end');
  }

  #behindValue(): Wanted {
    const at = this.#open.at(-1);
    if (!at) return 'the end';
    return at.isList ? 'a comma or ]' : 'a comma or }';
  }

  #misplaced(found: string): Fault {
    return this.#fault(`has ${found} where ${this.#wanted} should be`);
  }

  /** @param isAround whether the fault is in the list or object around the present member. */
  #fault(message: string, isAround = false): Fault {
    const open = isAround ? this.#open.slice(0, -1) : this.#open;
    return { way: open.flatMap(({ at = [] }) => at), message };
  }
}

function kindOf(part: string): string {
  if (part.length > 1 && part.startsWith('"')) return 'text';
  return plain.test(part) ? 'plain' : part;
}

const escapes = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/g;
const control = /[\u0000-\u001f]/;

/** The fault of a text, in its quotes. */
function problemOf(text: string): string | undefined {
  const [found] = control.exec(text) ?? [];
  if (found !== undefined) return `holds the character ${nameOf(found)}, which JSON writes as an escape`;
  const bare = text.replace(escapes, '');
  if (bare.includes('\\'))
    return `has ${JSON.stringify(bare.slice(bare.indexOf('\\')).slice(0, 2))}, which is no escape`;
  const read = JSON.parse(text) as string & { isWellFormed(): boolean };
  if (read.includes('\u0000')) return 'holds the character NUL (\\u0000), which cannot be stored';
  return read.isWellFormed() ? undefined : 'holds half a surrogate pair, which is no character';
}

function nameOf(character: string): string {
  return `U+${character.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()}`;
}
