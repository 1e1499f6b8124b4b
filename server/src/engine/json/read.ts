import { isUtf8 } from 'node:buffer';
import { ExactNumber, faultIn, parseShallowJson, wayToDuplicate } from '@millrace/api';
import type { Interruptible } from '../slices.ts';
import { scan, unreadable, type Portion } from './scan.ts';

type Nested = Extract<Portion, { large: unknown }>;
type Run = Exclude<Portion, Nested>;
type Way = readonly (string | number)[];
type JsonObject = Record<string, unknown>;
/** The brackets that make a part of a list or an object valid JSON by itself. */
type Brackets = readonly [open: string, close: string];

const inList: Brackets = ['[', ']'];
const inObject: Brackets = ['{', '}'];

const byteOrderMark = Buffer.from('\ufeff');

/**
 * Reads a JSON body like `parseJson`, and more strictly: it refuses a member that is given twice, as one of the two would be lost, and
 * values that are too large to be stored. Undefined when the body is empty.
 * @param portionBytes see `scan`
 * @throws Refusal INVALID_REQUEST with the fault and its place
 */
export function* readJson(body: Buffer, portionBytes?: number): Interruptible<unknown> {
  // Programs of Windows begin their UTF-8 with a mark, which would be invisible in an error message.
  const bytes = body.subarray(0, 3).equals(byteOrderMark) ? body.subarray(3) : body;
  if (bytes.length === 0) return undefined;
  try {
    // Decoding would silently replace each invalid byte.
    if (!(yield* isText(bytes))) throw new SyntaxError('it is not in UTF-8');
    const whole = yield* scan(bytes, portionBytes);
    yield;
    if (!('large' in whole)) return yield* readRun(bytes, whole, ['', ''], []);
    readAround(bytes, whole, inList, []);
    return yield* readLarge(bytes, whole.large, []);
  } catch (error) {
    throw error instanceof SyntaxError ? unreadable([], error.message) : error;
  }
}

// Takes a fraction of a millisecond, whatever the characters.
const checkedBytes = 128 * 1024;

/** Whether all of it is UTF-8. */
function* isText(bytes: Buffer): Interruptible<boolean> {
  for (let from = 0; from < bytes.length; yield) {
    const to = beginningAt(bytes, from + checkedBytes);
    if (!isUtf8(bytes.subarray(from, to))) return false;
    from = to;
  }
  return true;
}

/** The start of the character that has a byte at a place: there, or up to three bytes before. */
function beginningAt(bytes: Buffer, place: number): number {
  let at = place;
  while (at > place - 3 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at -= 1;
  return at;
}

function* readLarge(bytes: Buffer, { isList, portions }: Nested['large'], way: Way): Interruptible<unknown> {
  const list: unknown[] = [];
  const object: JsonObject = {};
  for (const portion of portions) {
    yield;
    const added = isList
      ? yield* addToList(bytes, portion, list, way)
      : yield* addToObject(bytes, portion, object, way);
    if (added === 0 && portions.length > 1) throw new SyntaxError('there is a comma too many');
  }
  return isList ? list : object;
}

/** Adds the members of a portion to their list; returns their number. */
function* addToList(bytes: Buffer, portion: Portion, list: unknown[], way: Way): Interruptible<number> {
  if ('large' in portion) {
    readAround(bytes, portion, inList, way);
    list.push(yield* readLarge(bytes, portion.large, [...way, portion.index]));
    return 1;
  }
  const members = (yield* readRun(bytes, portion, inList, way)) as unknown[];
  for (const member of members) list.push(member);
  return members.length;
}

/** Adds the members of a portion to their object; returns their number. */
function* addToObject(bytes: Buffer, portion: Portion, object: JsonObject, way: Way): Interruptible<number> {
  const isLarge = 'large' in portion;
  const read = isLarge
    ? readAround(bytes, portion, inObject, way)
    : yield* readRun(bytes, portion, inObject, way);
  const members = read as JsonObject;
  const names = Object.keys(members);
  for (const name of names) {
    if (Object.hasOwn(object, name)) throw givenTwice([...way, name]);
    const value = isLarge ? yield* readLarge(bytes, portion.large, [...way, name]) : members[name];
    // An assignment to __proto__ would change the object itself; for all other names an assignment is much faster.
    if (name !== '__proto__') object[name] = value;
    else Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
  }
  return names.length;
}

/** The text around a large member, with null in its place: proves that it holds only a name and white space. */
function readAround(
  bytes: Buffer,
  { from, large, to, index }: Nested,
  [open, close]: Brackets,
  way: Way,
): unknown {
  const [before, behind] = [bytes.toString('utf8', from, large.from), bytes.toString('utf8', large.to, to)];
  return parse(`${open}${before}null${behind}${close}`, index, way);
}

function* readRun(bytes: Buffer, run: Run, brackets: Brackets, way: Way): Interruptible<unknown> {
  const { from, to, index, names } = run;
  const [open, close] = brackets;
  const text = `${open}${bytes.toString('utf8', from, to)}${close}`;
  // One text of megabytes takes tens of milliseconds, half of them until here.
  yield;
  const value = parse(text, index, way);
  if (names > 0 && countNames(value) !== names) throw givenTwice([...way, ...wayToDuplicate(text, index)]);
  return value;
}

// A search for the fault in a longer text would take too long at a time.
const longestSearched = 512 * 1024;

/** @param index the position of the first member, where the text is a part of a list */
function parse(text: string, index: number, way: Way): unknown {
  try {
    return parseShallowJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const fault = text.length > longestSearched ? tooLong : faultIn(text, index);
    if (!fault) throw error;
    const whole = [...way, ...fault.way];
    throw unreadable(whole, whole.length > 0 ? fault.message : `it ${fault.message}`);
  }
}

const tooLong = { way: [], message: 'holds a long text that is no JSON, or that cannot be stored' };

function givenTwice(way: Way): Error {
  return unreadable(way, 'is given twice. Leave out one of them');
}

/** Number of member names in a value, at any depth: fewer than in its text when one was given twice. */
function countNames(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const member of value as unknown[]) count += countNames(member);
    return count;
  }
  for (const name in value) count += 1 + countNames((value as Record<string, unknown>)[name]);
  return count;
}
