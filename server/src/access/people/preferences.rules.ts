import { stringifyJson, type Schemas } from '@millrace/api';
import { invalid } from '../users/rules.ts';

export type Preferences = Schemas['Preferences'];

const mostLists = 200;
const mostBytes = 32 * 1024;

/** Preferences after a change: null removes a member, or a list from the columns. @throws Refusal INVALID_REQUEST */
export function changedPreferences(
  current: Preferences,
  { columns, ...others }: Schemas['PreferencesUpdate'],
): Preferences {
  if (typeof others.timeZone === 'string' && !isTimeZone(others.timeZone))
    throw invalid([
      {
        field: 'timeZone',
        message: `must be the name of a time zone, such as Europe/Berlin, not ${JSON.stringify(others.timeZone)}`,
      },
    ]);
  const lists = columns === null ? {} : without({ ...current.columns, ...columns });
  const changed = without({ ...current, ...others, columns: Object.keys(lists).length > 0 ? lists : null });
  refuseExcess(changed, Object.keys(lists).length);
  return changed;
}

/** The members that have a value. */
function without<T extends object>(members: T): { [M in keyof T]: NonNullable<T[M]> } {
  const given = Object.entries(members).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(given) as { [M in keyof T]: NonNullable<T[M]> };
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function refuseExcess(preferences: Preferences, lists: number): void {
  const message =
    lists > mostLists
      ? `would have the columns of ${lists} lists, and ${mostLists} are kept. Take some away by null`
      : Buffer.byteLength(stringifyJson(preferences)) > mostBytes
        ? `would make more than ${mostBytes} bytes of preferences. Take the columns of some lists away by null`
        : undefined;
  if (message !== undefined) throw invalid([{ field: 'columns', message }]);
}
