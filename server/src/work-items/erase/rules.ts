import { signatureOf } from '@millrace/api';
import type { Attribute } from '../../engine/operation.ts';
import type { JsonRecord } from '../../records/record.ts';
import { isMarked, isSealed, namesEver } from '../../records/sensitive.rules.ts';

/** The record without the values of sensitive attributes, under any of their names, and without encrypted values. */
export function withoutSensitive(attributes: readonly Attribute[], record: JsonRecord): JsonRecord {
  const names = new Set(attributes.filter(isMarked).flatMap(namesEver));
  const members = Object.entries(record).filter(([name, value]) => !names.has(name) && !isSealed(value));
  return Object.fromEntries(members);
}

// Texts of bots and people, which may name the person concerned.
const texts = ['output', 'outputBeginning', 'comment', 'error', 'resultText', 'progress', 'note'];

// Further members in the event of a late report, as they were sent.
const textsOfReports = [...texts, 'reason', 'tags'];

/** An event, with the members that contain texts. */
interface Written {
  readonly operation: string;
  readonly changes?: object;
  readonly reason?: string;
}

/** The changes of an event without sensitive contents; the same object where there are none. */
export function withoutTraces(
  attributes: readonly Attribute[],
  { operation, changes }: Written,
): object | undefined {
  if (!changes) return undefined;
  const written = operation === 'lateReport' ? textsOfReports : texts;
  const { json } = changes as { json?: JsonRecord };
  const kept = json && withoutSensitive(attributes, json);
  const isBare = !kept || Object.keys(kept).length === Object.keys(json).length;
  if (isBare && !written.some((name) => Object.hasOwn(changes, name))) return changes;
  const members = Object.entries(changes).filter(([name]) => !written.includes(name) && name !== 'json');
  return { ...Object.fromEntries(members), ...(kept && { json: kept }) };
}

// The reasons for revealing and erasing values stay recorded.
const keptReasons: readonly string[] = ['eraseSensitiveValues', 'revealWorkItem'];

/** Whether an event has a reason that was written about the work. */
export function hasOwnReason({ operation, reason }: Written): boolean {
  return reason !== undefined && !keptReasons.includes(operation);
}

/** The signatures of errors that an event may give for the failure of its item. */
export function signaturesIn({ changes = {}, reason }: Written): string[] {
  const { error } = changes as { error?: unknown };
  return [error, reason].flatMap((text) => (typeof text === 'string' ? [signatureOf(text)] : []));
}
