import { Refusal } from '../errors.ts';
import type { Interruptible } from '../slices.ts';

/*
 * The first look at a body of JSON: where it can be cut into portions that the native parser reads in a millisecond each, and
 * whether it is larger, in any direction, than what could be stored. It reads bytes, once, and keeps nothing of small bodies.
 */

/** Some members of a large list or object, from one byte to before another. */
interface Run {
  readonly from: number;
  readonly to: number;
  /** Position of the first in its list. */
  readonly index: number;
  /** Number of member names in it, at any depth. */
  readonly names: number;
}

/** A large member, with the text before and after it: its name, and white space. */
interface Nested {
  readonly index: number;
  readonly from: number;
  readonly large: Large;
  readonly to: number;
}

export type Portion = Run | Nested;

/** A list or an object that is read in portions; `from` to `to`, exclusive, include its brackets. */
interface Large {
  readonly isList: boolean;
  readonly from: number;
  readonly to: number;
  readonly portions: readonly Portion[];
}

// A millisecond's work for the native parser.
const usualPortion = 32 * 1024;
const pauseBytes = 128 * 1024;

const deepest = 200;
// The length of the longest list in the contract.
const mostMembers = 100_000;
// Each takes some fifty bytes of memory, whatever its contents.
const mostContainers = 500_000;
// 10,000 items have as many values when their models have 200 attributes each.
const mostValues = 2_500_000;
// The longest output has a million characters, each written in up to six bytes (\u001f).
const longestText = 6_000_000;
const longestNumber = 1000;
/** All shorter numbers with lower exponents are in the range of doubles. */
const shortNumber = 100;

const [quote, backslash, comma, colon, minus, plus, point] = [34, 92, 44, 58, 45, 43, 46];
const [openList, closeList, openObject, closeObject] = [91, 93, 123, 125];
const [zero, nine, capitalE, smallE] = [48, 57, 69, 101];

/**
 * Finds the portions of a body; the whole body is returned as one.
 * @param portionBytes the size of a portion, approximately; less in tests.
 * @throws Refusal that names the value that is too large, and its place; SyntaxError for brackets that do not match
 */
export function* scan(bytes: Buffer, portionBytes = usualPortion): Interruptible<Portion> {
  const scanner = new Scanner(bytes, portionBytes);
  for (let at = 0; at < bytes.length; at = scanner.scanUpTo(at + pauseBytes, at)) yield;
  return scanner.end();
}

/** Containers at one depth use the same place in these one after the other; depth 0 is the body. */
class Scanner {
  readonly #bytes: Buffer;
  readonly #portionBytes: number;
  #depth = 0;
  #names = 0;
  #containers = 0;
  #values = 0;
  #isInText = false;
  #textFrom = 0;
  readonly #isList = [true];
  readonly #from = [0];
  readonly #members = [0];
  readonly #memberFrom = [0];
  readonly #memberNames = [0];
  readonly #runFrom = [0];
  readonly #runIndex = [0];
  readonly #runNames = [0];
  /** Whether the current member was large: it is a portion already, and only white space may follow. */
  readonly #isNested = [false];
  readonly #portions: Portion[][] = [none];

  constructor(bytes: Buffer, portionBytes: number) {
    this.#bytes = bytes;
    this.#portionBytes = portionBytes;
  }

  /** Scans from a byte to about another; returns the place to go on from. */
  scanUpTo(end: number, from: number): number {
    const bytes = this.#bytes;
    const last = Math.min(end, bytes.length);
    let at = this.#isInText ? this.#throughText(from, last) : from;
    while (at < last) {
      const byte = bytes[at] as number;
      if (byte === quote) at = this.#beginText(at, last);
      else if (byte === minus || (byte >= zero && byte <= nine)) at = this.#afterNumber(at);
      else {
        if (byte === comma) this.#next(at);
        else if (byte === colon) this.#names += 1;
        else if (byte === openList || byte === openObject) this.#open(at, byte === openList);
        else if (byte === closeList || byte === closeObject) this.#close(at, byte === closeList);
        at += 1;
      }
    }
    return at;
  }

  end(): Portion {
    if (this.#depth > 0) throw new SyntaxError('it ends before all brackets are closed');
    this.#endRun(this.#bytes.length);
    return this.#portions[0]?.[0] as Portion;
  }

  #open(at: number, isList: boolean): void {
    this.#count();
    if (this.#depth === deepest) this.#refuse(`nests deeper than ${deepest} levels`);
    if (++this.#containers > mostContainers)
      this.#refuse(`is one list or object too many: a body may have ${mostContainers}`);
    const depth = ++this.#depth;
    this.#isList[depth] = isList;
    this.#from[depth] = at;
    this.#members[depth] = 0;
    this.#isNested[depth] = false;
    this.#portions[depth] = none;
    this.#beginMember(depth, at + 1);
    this.#beginRun(depth);
  }

  #close(at: number, isList: boolean): void {
    const depth = this.#depth;
    if (depth === 0 || this.#isList[depth] !== isList)
      throw new SyntaxError(`the bracket at byte ${at} closes none that is open`);
    const from = this.#from[depth] as number;
    const isLarge = this.#portions[depth] !== none || at - from > this.#portionBytes;
    if (isLarge) this.#endRun(at);
    this.#depth = depth - 1;
    if (isLarge) this.#nest({ isList, from, to: at + 1, portions: this.#portions[depth] as Portion[] });
  }

  #next(at: number): void {
    const depth = this.#depth;
    if (depth === 0) throw new SyntaxError(`the comma at byte ${at} stands behind the end`);
    this.#count();
    if (++(this.#members[depth] as number) >= mostMembers)
      this.#refuse(`is one member too many: a list or an object may have ${mostMembers}`);
    const isLong = at - (this.#runFrom[depth] as number) > this.#portionBytes;
    if (isLong || this.#isNested[depth]) this.#endRun(at);
    this.#beginMember(depth, at + 1);
    if (isLong || this.#isNested[depth]) this.#beginRun(depth);
    this.#isNested[depth] = false;
  }

  #beginMember(depth: number, at: number): void {
    this.#memberFrom[depth] = at;
    this.#memberNames[depth] = this.#names;
  }

  /** Begins a run with the current member. */
  #beginRun(depth: number): void {
    this.#runFrom[depth] = this.#memberFrom[depth] as number;
    this.#runIndex[depth] = this.#members[depth] as number;
    this.#runNames[depth] = this.#memberNames[depth] as number;
  }

  /** Ends the run, or the large member that took its place, before a comma or a bracket. */
  #endRun(to: number): void {
    const depth = this.#depth;
    if (this.#isNested[depth]) {
      const portions = this.#portions[depth] as Portion[];
      portions.push({ ...(portions.pop() as Nested), to });
    } else this.#addRun(depth, to, this.#names);
  }

  #addRun(depth: number, to: number, names: number): void {
    const [from, index] = [this.#runFrom[depth] as number, this.#runIndex[depth] as number];
    this.#addPortion(depth, { from, to, index, names: names - (this.#runNames[depth] as number) });
  }

  #addPortion(depth: number, portion: Portion): void {
    if (this.#portions[depth] === none) this.#portions[depth] = [];
    this.#portions[depth]?.push(portion);
  }

  /** Makes the current member, which has turned out to be large, stand alone; the members before it in the run become a portion. */
  #nest(large: Large): void {
    const depth = this.#depth;
    const from = this.#memberFrom[depth] as number;
    if (from > (this.#runFrom[depth] as number))
      this.#addRun(depth, from - 1, this.#memberNames[depth] as number);
    this.#addPortion(depth, { index: this.#members[depth] as number, from, large, to: large.to });
    this.#isNested[depth] = true;
  }

  #count(): void {
    if (++this.#values > mostValues) this.#refuse(`is one value too many: a body may have ${mostValues}`);
  }

  #beginText(at: number, last: number): number {
    this.#isInText = true;
    this.#textFrom = at;
    return this.#throughText(at + 1, last);
  }

  /** Goes on after the text, or to the end of this scan, whichever comes first. */
  #throughText(from: number, last: number): number {
    const bytes = this.#bytes;
    const end = Math.min(last, this.#textFrom + longestText);
    let at = from;
    while (at < end && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
    if (at < end) {
      this.#isInText = false;
      return at + 1;
    }
    if (end < last) return this.#refuse(`has a text of more than ${longestText} bytes`);
    if (last === bytes.length) throw new SyntaxError('it ends inside of a text');
    return at;
  }

  #afterNumber(from: number): number {
    const bytes = this.#bytes;
    let at = from + 1;
    let exponentFrom = 0;
    for (; at < bytes.length && at - from <= longestNumber; at += 1) {
      const byte = bytes[at] as number;
      if (byte === smallE || byte === capitalE) exponentFrom = at + 1;
      else if ((byte < zero || byte > nine) && byte !== point && byte !== plus && byte !== minus) break;
    }
    if (exponentFrom > 0 || at - from > shortNumber) this.#checkNumber(bytes.toString('latin1', from, at));
    return at;
  }

  #checkNumber(digits: string): void {
    const isLong = digits.length > longestNumber;
    const value = isLong ? 0 : Number(digits);
    if (!isLong && (Number.isNaN(value) || (Number.isFinite(value) && (value !== 0 || isZero.test(digits)))))
      return;
    const shown = digits.length > 40 ? `${digits.slice(0, 40)}…` : digits;
    this.#refuse(
      `must be a number that a double can approximate, of at most ${longestNumber} digits, not ${shown}`,
    );
  }

  #refuse(message: string): never {
    throw unreadable(this.#way(), message);
  }

  /** The names and positions that lead to the current value. */
  #way(): (string | number)[] {
    return Array.from({ length: this.#depth }, (_, index) => {
      const depth = index + 1;
      return this.#isList[depth]
        ? (this.#members[depth] as number)
        : this.#nameAt(this.#memberFrom[depth] as number);
    });
  }

  #nameAt(from: number): string {
    const text = this.#bytes.toString('utf8', from, from + longestShownName);
    return /^\s*"((?:[^"\\]|\\.)*)/.exec(text)?.[1] ?? '';
  }
}

const none: Portion[] = [];
const isZero = /^-?[0.]+(?:[eE].*)?$/;
const longestShownName = 100;
const mostShownSteps = 20;

/**
 * The refusal of a body that cannot be read.
 * @param way the names and positions that lead to the fault, if it is in one value
 */
export function unreadable(way: readonly (string | number)[], message: string): Refusal {
  const shown = way.length > mostShownSteps ? [...way.slice(0, mostShownSteps), '…'] : way;
  const field = shown.join('.');
  const sentence = [field, message].filter(Boolean).join(' ');
  return new Refusal('INVALID_REQUEST', `The body cannot be read as JSON: ${sentence}.`, {
    details: [{ ...(field && { field }), message }],
  });
}
