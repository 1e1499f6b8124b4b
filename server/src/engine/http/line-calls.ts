import { stringifyJson, type Id } from '@millrace/api';
import type { RequestReader } from '../contract.ts';
import { Refusal, toRefusal, type ErrorCode, type ErrorDetail } from '../errors.ts';
import { Repeated, type IdempotencyKey, type KeptPart } from '../idempotency.ts';
import { readJson } from '../json/read.ts';
import { inSlices } from '../slices.ts';
import type { LinesKey } from './key.ts';
import { longestLine, type Line } from './line-reader.ts';

/** An operation that makes something of each member of a list. */
export interface LinesCall {
  /** The member of the body that has the list. */
  readonly list: string;
  readonly reader: RequestReader;
  /**
   * Performs the operation for some of the members: for all of them, or for none.
   * @returns its answer, or Repeated with what is kept under the key
   * @throws Refusal that names those that are in the way
   */
  readonly perform: (body: object, key: IdempotencyKey | undefined) => Promise<unknown>;
  /** Under which what becomes of the lines is kept, portion by portion. */
  readonly key: LinesKey | undefined;
}

/** What became of some lines, as lines; and whether an earlier call with the same key was told it. */
export interface Done {
  readonly outcomes: string;
  readonly isReplayed: boolean;
}

/** More or fewer lines are kept as this portion of the body. */
export class CutOtherwise {
  /** The number of the last of them; undefined where the body had ended before. */
  readonly last: number | undefined;

  constructor(last: number | undefined) {
    this.last = last;
  }
}

/** What became of a line. */
interface Outcome {
  readonly line?: number;
  readonly id?: Id | undefined;
  readonly error?: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly details?: readonly ErrorDetail[];
  };
}

/** By the number of the line. */
type Outcomes = Map<number, Outcome>;

/** A line that can be read. */
interface Member {
  readonly number: number;
  readonly value: unknown;
}

/**
 * Performs the operation for a portion of the lines. Those that are in the way of others are left out, until the others can be stored.
 * @param part how many portions came before
 */
export async function performPortion(
  call: LinesCall,
  lines: readonly Line[],
  part: number,
): Promise<Done | CutOtherwise> {
  const outcomes: Outcomes = new Map();
  const keyFor = await keyOfPortion(call, { lines, part, outcomes });
  let members = await readMembers(call, lines, outcomes);
  // With a key also for none: that keeps what became of lines that are all refused, and that the body has ended.
  while (members.length > 0 || call.key) {
    const some = members;
    const { answer, refused } = await performOnce(call, some, keyFor(some));
    if (answer instanceof Repeated) return keptOf(answer.answer as KeptPart | undefined, lines);
    for (const [number, outcome] of refused ?? created(some, answer)) outcomes.set(number, outcome);
    if (!refused) break;
    members = some.filter(({ number }) => !refused.has(number));
  }
  return { outcomes: textOf(inOrder(lines, outcomes)), isReplayed: false };
}

interface Portion {
  readonly lines: readonly Line[];
  readonly part: number;
  /** Of those that are refused, until the others are stored. */
  readonly outcomes: Outcomes;
}

async function keyOfPortion({ key }: LinesCall, { lines, part: number, outcomes }: Portion) {
  if (!key) return () => undefined;
  const named = { key: key.key, hash: await key.hashOf(lines) };
  const last = lines.at(-1)?.number;
  return (members: readonly Member[]): IdempotencyKey => {
    const kept = (answer: unknown) => {
      const all = new Map([...outcomes, ...created(members, answer)]);
      return keptText(inOrder(lines, all));
    };
    return { ...named, part: { number, last, outcomes: kept } };
  };
}

function keptOf(kept: KeptPart | undefined, lines: readonly Line[]): Done | CutOtherwise {
  if (!kept || kept.last !== lines.at(-1)?.number) return new CutOtherwise(kept?.last);
  return { outcomes: kept.outcomes, isReplayed: true };
}

function inOrder(lines: readonly Line[], outcomes: Outcomes): Outcome[] {
  return lines.flatMap(({ number }) => outcomes.get(number) ?? []);
}

export function textOf(outcomes: readonly Outcome[]): string {
  return outcomes.map((outcome) => `${stringifyJson(outcome)}\n`).join('');
}

// Of a portion, for a day.
const mostKept = 256 * 1024;
const longestKept = 200;

/** The outcomes as they are kept: where they take much room, without the details of errors. */
function keptText(outcomes: readonly Outcome[]): string {
  const text = textOf(outcomes);
  if (text.length <= mostKept) return text;
  return textOf(
    outcomes.map(({ error, ...rest }) => ({ ...rest, ...(error && { error: shortened(error) }) })),
  );
}

function shortened({ code, message }: NonNullable<Outcome['error']>) {
  const isLong = message.length > longestKept;
  return { code, message: isLong ? `${message.slice(0, longestKept)}…` : message };
}

async function readMembers(
  { list, reader }: LinesCall,
  lines: readonly Line[],
  outcomes: Outcomes,
): Promise<Member[]> {
  const members: Member[] = [];
  for (const { number, bytes } of lines) {
    try {
      if (bytes.length > longestLine) throw tooLong();
      const value = await inSlices(readJson(bytes));
      await inSlices(reader.body({ [list]: [value] }));
      members.push({ number, value });
    } catch (error) {
      outcomes.set(number, outcomeOf(number, toRefusal(error)));
    }
  }
  return members;
}

const tooLong = () =>
  new Refusal('TOO_LARGE', `The line is longer than ${longestLine} bytes, more than an item can have.`);

/** Performs the operation for all of these. @returns its answer, or why some of them are refused */
async function performOnce(
  { list, perform }: LinesCall,
  members: readonly Member[],
  key: IdempotencyKey | undefined,
): Promise<{ readonly answer?: unknown; readonly refused?: Outcomes }> {
  try {
    return { answer: await perform({ [list]: members.map(({ value }) => value) }, key) };
  } catch (error) {
    const refusal = toRefusal(error);
    const byIndex = detailsByIndex(refusal.details ?? []);
    // It is about all of them: the queue is archived, or the database away.
    if (byIndex.size === 0) throw error;
    const refused: Outcomes = new Map();
    for (const [index, own] of byIndex) {
      const number = members[index]?.number ?? 0;
      const details = ofLines(own, members);
      refused.set(number, outcomeOf(number, new Refusal(refusal.code, '', { details })));
    }
    return { refused };
  }
}

/** The outcomes of lines that were stored. */
function created(members: readonly Member[], answer: unknown): Outcomes {
  const { list } = answer as { list: readonly { readonly id: Id }[] };
  return new Map(members.map(({ number }, index) => [number, { line: number, id: list[index]?.id }]));
}

function detailsByIndex(details: readonly ErrorDetail[]): Map<number, ErrorDetail[]> {
  const byIndex = new Map<number, ErrorDetail[]>();
  for (const detail of details)
    if (detail.index !== undefined) byIndex.set(detail.index, [...(byIndex.get(detail.index) ?? []), detail]);
  return byIndex;
}

/** Details in the terms of the sender, who knows lines and no positions among those that were performed together. */
function ofLines(details: readonly ErrorDetail[], members: readonly Member[]): ErrorDetail[] {
  return details.map(({ message, ...detail }) => ({
    ...detail,
    message: message.replace(
      /the item at index (\d+)/,
      (_, index: string) => `line ${members[Number(index)]?.number}`,
    ),
  }));
}

/** What is wrong with a line, or with what has no line. */
export function outcomeOf(line: number | undefined, { code, message, details = [] }: Refusal): Outcome {
  const own = details.map(({ index: _, ...detail }) => detail);
  const sentence = own.map((detail) => [detail.field, detail.message].filter(Boolean).join(' ')).join('; ');
  const error = {
    code,
    message: line === undefined || sentence === '' ? message : `${sentence}.`,
    ...(own.length > 0 && { details: own }),
  };
  return { ...(line !== undefined && { line }), error };
}
