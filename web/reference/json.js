/**
 * JSON as text that stays what it is: numbers beyond what a double holds are shown to the last digit, which
 * JSON.parse would change.
 *
 * @typedef {{ open: string, close: string, members: { key: string, value: Tree }[] }} Container
 * @typedef {string | Container} Tree
 */

const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g;

/**
 * Lays JSON out to be read: what fits into the width stands on one line.
 * @param {string} text valid JSON
 * @param {number} [width] characters in a line
 */
export function layOut(text, width = 50) {
  const tokens = text.match(token) ?? [];
  return print(read(tokens.values()), '', width);
}

/**
 * @param {Iterator<string>} tokens
 * @param {string} [first]
 * @returns {Tree}
 */
function read(tokens, first = next(tokens)) {
  if (first !== '{' && first !== '[') return first;
  const close = first === '{' ? '}' : ']';
  /** @type {Container} */
  const container = { open: first, close, members: [] };
  for (let word = next(tokens); word !== close; word = next(tokens)) {
    if (word === ',') continue;
    const key = first === '{' ? `${word}: ` : '';
    if (key) next(tokens);
    container.members.push({ key, value: key ? read(tokens) : read(tokens, word) });
  }
  return container;
}

/**
 * @param {Iterator<string>} tokens
 * @returns {string}
 */
function next(tokens) {
  const { value, done } = tokens.next();
  if (done) throw new Error('The JSON ends too early.');
  return value;
}

/**
 * @param {Tree} tree
 * @param {string} indent
 * @param {number} width
 * @returns {string}
 */
function print(tree, indent, width) {
  const short = onOneLine(tree);
  if (typeof tree === 'string' || indent.length + short.length <= width) return short;
  const inner = `${indent}  `;
  const members = tree.members.map(
    ({ key, value }) => `${inner}${key}${print(value, inner, width - key.length)}`,
  );
  return `${tree.open}\n${members.join(',\n')}\n${indent}${tree.close}`;
}

/**
 * @param {Tree} tree
 * @returns {string}
 */
function onOneLine(tree) {
  if (typeof tree === 'string') return tree;
  const members = tree.members.map(({ key, value }) => key + onOneLine(value)).join(', ');
  const space = tree.open === '{' && members ? ' ' : '';
  return tree.open + space + members + space + tree.close;
}

/**
 * The parts of a text that holds JSON, each with what it is; together they are the text.
 * @param {string} text
 * @returns {{ kind: 'key' | 'text' | 'number' | 'word' | undefined, part: string }[]}
 */
export function parts(text) {
  const found = [];
  let end = 0;
  for (const match of text.matchAll(token)) {
    const [part] = match;
    const kind = kindOf(part, text.slice(match.index + part.length));
    if (!kind) continue;
    if (match.index > end) found.push({ kind: undefined, part: text.slice(end, match.index) });
    found.push({ kind, part });
    end = match.index + part.length;
  }
  return [...found, { kind: undefined, part: text.slice(end) }];
}

/**
 * @param {string} part
 * @param {string} rest what follows it
 * @returns {'key' | 'text' | 'number' | 'word' | undefined}
 */
function kindOf(part, rest) {
  if (part.startsWith('"')) return /^\s*:/.test(rest) ? 'key' : 'text';
  if (/^[-\d]/.test(part)) return 'number';
  return /^[a-z]/.test(part) ? 'word' : undefined;
}
