import { stringifyJson, type Schemas } from '@millrace/api';
import { sql } from '../../engine/db.ts';
import type { Context, PlainOperation } from '../../engine/operation.ts';
import { invalid } from '../users/rules.ts';

export const getPreferences: PlainOperation<'getPreferences'> = (context) => selectPreferences(context);

export const updatePreferences: PlainOperation<'updatePreferences'> = async (context, { body }) => {
  const { db, actor, now } = context;
  // Two browsers that change different members at the same time must both succeed.
  await db.rows(sql`
    insert into user_preferences (user_id, preferences, updated_on) values (${actor.id}, '{}', ${now})
    on conflict (user_id) do update set updated_on = excluded.updated_on`);
  const changed = changedPreferences(await selectPreferences(context), body);
  await db.rows(sql`
    update user_preferences set preferences = ${stringifyJson(changed)} where user_id = ${actor.id}`);
  return changed;
};

async function selectPreferences({ db, actor }: Context): Promise<Preferences> {
  const row = await db.row<{ preferences: Preferences }>(
    sql`select preferences from user_preferences where user_id = ${actor.id}`,
  );
  return row?.preferences ?? {};
}

type Preferences = Schemas['Preferences'];

const mostLists = 200;
const mostBytes = 32 * 1024;

/** Preferences after a change: null removes a member, or a list from the columns. @throws Refusal INVALID_REQUEST */
function changedPreferences(
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
