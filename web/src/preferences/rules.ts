import type { Schemas } from '@millrace/api';

type Preferences = Schemas['Preferences'];

const forms: { readonly [Member in keyof Preferences]: (value: unknown) => boolean } = {
  theme: (value) => ['SYSTEM', 'LIGHT', 'DARK'].includes(String(value)),
  density: (value) => ['COMPACT', 'NORMAL', 'TOUCH'].includes(String(value)),
  timeZone: (value) => typeof value === 'string' && isTimeZone(value),
  keys: (value) => typeof value === 'boolean',
  columns: (value) => typeof value === 'object' && value !== null && Object.values(value).every(isTexts),
  sideFolded: (value) => typeof value === 'boolean',
  lookedUpTo: (value) => /^\d{1,20}-\d{1,19}$/.test(String(value)),
};

/** The preferences that a browser has kept, without invalid members. Ids of queues are left to the server, which knows all their digits. */
export function readPreferences(text: string | null): Preferences {
  try {
    const kept: unknown = JSON.parse(text ?? '{}');
    if (typeof kept !== 'object' || kept === null) return {};
    const known = Object.entries(kept).filter(([name, value]) => forms[name as keyof Preferences]?.(value));
    return Object.fromEntries(known);
  } catch {
    return {};
  }
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
