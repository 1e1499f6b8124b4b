import { ExactNumber, stringifyJson, toId } from '@millrace/api';
import { isMask } from '../json/masks.ts';

export type AttributeType = 'TEXT' | 'NUMBER' | 'DATE' | 'BOOLEAN';

/** The typed value of an attribute; null for an empty one, and undefined for none of its type. Numbers keep each digit. */
export function valueIn(type: AttributeType | undefined, typed: string): unknown {
  const text = typed.trim();
  if (text === '') return null;
  if (type === 'NUMBER') return numberIn(text);
  if (type === 'BOOLEAN') return text === 'true' || (text === 'false' ? false : undefined);
  return typed;
}

function numberIn(text: string): unknown {
  if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return undefined;
  return /^-?\d+$/.test(text) ? toId(text) : new ExactNumber(text);
}

/** A value as it is typed; empty where it is hidden. */
export function typedOf(value: unknown): string {
  if (value === undefined || value === null || isMask(value)) return '';
  return typeof value === 'string' ? value : stringifyJson(value);
}
