import { signatureOf } from '@millrace/api';
import type { Attribute } from '../../engine/operation.ts';
import type { JsonRecord } from '../../records/record.ts';
import { isMarked, isSealed, namesEver } from '../../records/sensitive.rules.ts';

/** The record without the values of attributes that are sensitive, under whatever name, and without all that is encrypted. */
export function withoutSensitive(attributes: readonly Attribute[], record: JsonRecord): JsonRecord {
  const names = new Set(attributes.filter(isMarked).flatMap(namesEver));
  const members = Object.entries(record).filter(([name, value]) => !names.has(name) && !isSealed(value));
  return Object.fromEntries(members);
}

// What bots and people wrote, which may name whom it was about.
const texts = ['output', 'outputBeginning', 'comment', 'error', 'resultText', 'progress', 'note'];

// What a late report has on record besides, as it was sent.
const textsOfReports = [...texts, 'reason', 'tags'];

/** An event, as far as it says what was written. */
interface Written {
  readonly operation: string;
  readonly changes?: object;
  readonly reason?: string;
}

/** The changes of an event without what is sensitive in them; the same object where there is nothing. */
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

// Why values were seen or erased stays on record.
const keptReasons: readonly string[] = ['eraseSensitiveValues', 'revealWorkItem'];

/** Whether an event has a reason that was written about the work. */
export function hasOwnReason({ operation, reason }: Written): boolean {
  return reason !== undefined && !keptReasons.includes(operation);
}

/** The signatures of what an event may say that its item failed for. */
export function signaturesIn({ changes = {}, reason }: Written): string[] {
  const { error } = changes as { error?: unknown };
  return [error, reason].flatMap((text) => (typeof text === 'string' ? [signatureOf(text)] : []));
}
