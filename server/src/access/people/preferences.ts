import { stringifyJson } from '@millrace/api';
import { sql } from '../../engine/db.ts';
import type { Context, PlainOperation } from '../../engine/operation.ts';
import { changedPreferences, type Preferences } from './preferences.rules.ts';

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
