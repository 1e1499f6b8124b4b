import { stringifyJson } from '@millrace/api';
import { inSlices, type Interruptible } from '../slices.ts';

// The number of pieces costs nothing, as they are sent one by one, and each is written in a fraction of a millisecond.
const pieceLength = 64 * 1024;

/** Writes an answer like `stringifyJson`, in pieces: lists a few members at a time, as they may be long. */
export function* writeJson(answer: object): Interruptible<string[]> {
  const pieces: string[] = [];
  let piece = '';
  for (const part of partsOf(answer)) {
    piece += part;
    if (piece.length < pieceLength) continue;
    pieces.push(piece);
    piece = '';
    yield;
  }
  pieces.push(piece);
  return pieces;
}

function* partsOf(answer: object): Generator<string> {
  let before = '{';
  for (const [name, value] of Object.entries(answer) as [string, unknown][]) {
    if (value === undefined) continue;
    yield `${before}${JSON.stringify(name)}:`;
    if (!Array.isArray(value)) yield stringifyJson(value);
    else {
      let between = '[';
      for (const members of membersOf(value)) {
        yield between + members;
        between = ',';
      }
      yield between === '[' ? '[]' : ']';
    }
    before = ',';
  }
  yield before === '{' ? '{}' : '}';
}

// Written one by one, small members take half as long again.
const mostMembers = 8;
const shortText = 16 * 1024;

/** The members of a list as JSON, without its brackets: some at a time, but one by one where they are large. */
function* membersOf<T>(
  list: readonly T[],
  shape: (member: T, index: number) => unknown = (member) => member,
): Generator<string> {
  let atOnce = 1;
  for (let from = 0; from < list.length;) {
    const some = list.slice(from, from + atOnce);
    const start = from;
    const text = stringifyJson(some.map((member, index) => shape(member, start + index))).slice(1, -1);
    yield text;
    from += some.length;
    atOnce = text.length > shortText ? 1 : Math.min(2 * atOnce, mostMembers);
  }
}

// Some thousand rows. They hold up neither the loop nor the database; the round trip of each portion costs little beside them.
const lengthAtOnce = 512 * 1024;

/**
 * Rows for statements, as JSON lists of the size for one statement. The next is written when it is asked for, which is after the statement
 * before.
 * @param shape makes the row that the statement takes.
 */
export async function* jsonLists<Row extends object>(
  rows: readonly Row[],
  shape?: (row: Row, index: number) => object,
): AsyncGenerator<string> {
  const [only] = rows;
  if (only && rows.length === 1) return yield stringifyJson([shape ? shape(only, 0) : only]);
  const members = membersOf(rows, shape);
  for (;;) {
    const list = await inSlices(nextList(members));
    if (list === undefined) return;
    yield list;
  }
}

function* nextList(members: Generator<string>): Interruptible<string | undefined> {
  let list = '';
  for (let next = members.next(); !next.done; next = members.next()) {
    list += (list === '' ? '[' : ',') + next.value;
    yield;
    if (list.length > lengthAtOnce) break;
  }
  return list === '' ? undefined : `${list}]`;
}
