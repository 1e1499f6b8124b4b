import type { Id, Schemas } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';

type Item = Schemas['WorkItem'];
type Attempt = Schemas['Attempt'];
type Names = ReadonlyMap<string, string>;

/** An item with the names for the ids in it: callers who may not list users and devices need not do without. */
export async function withNames(db: Db, item: Item): Promise<Item> {
  const { createdBy, updatedBy, cancelRequestedBy, deviceId } = item;
  const [users, devices] = await Promise.all([
    selectUsers(db, [createdBy, updatedBy, cancelRequestedBy]),
    selectDevices(db, [deviceId]),
  ]);
  return {
    ...item,
    ...beside('deviceName', devices, deviceId),
    ...beside('createdByName', users, createdBy),
    ...beside('updatedByName', users, updatedBy),
    ...beside('cancelRequestedByName', users, cancelRequestedBy),
  };
}

/** Attempts with the names of those who made them, and of the devices where they did. */
export async function withNamesOf(db: Db, attempts: readonly Attempt[]): Promise<Attempt[]> {
  const [users, devices] = await Promise.all([
    selectUsers(
      db,
      attempts.map(({ actorId }) => actorId),
    ),
    selectDevices(
      db,
      attempts.map(({ deviceId }) => deviceId),
    ),
  ]);
  return attempts.map((attempt) => ({
    ...attempt,
    ...beside('deviceName', devices, attempt.deviceId),
    ...beside('actorName', users, attempt.actorId),
  }));
}

/** A member with the name for an id; nothing where there is no id, or nobody has it any more. */
function beside(member: string, names: Names, id: Id | undefined): Record<string, string> {
  const name = names.get(String(id));
  return name === undefined ? {} : { [member]: name };
}

type Ids = readonly (Id | undefined)[];

async function selectUsers(db: Db, ids: Ids): Promise<Names> {
  if (known(ids).length === 0) return new Map();
  return namesIn(
    await db.rows(sql`select id, username as name from users where id = any(${known(ids)}::bigint[])`),
  );
}

async function selectDevices(db: Db, ids: Ids): Promise<Names> {
  if (known(ids).length === 0) return new Map();
  return namesIn(
    await db.rows(sql`
      select id, coalesce(nullif(nickname, ''), host_name) as name from devices where id = any(${known(ids)}::bigint[])`),
  );
}

function known(ids: Ids): Id[] {
  return [...new Set(ids)].filter((id) => id !== undefined);
}

function namesIn(rows: readonly { readonly id: Id; readonly name: string }[]): Names {
  return new Map(rows.map(({ id, name }) => [String(id), name]));
}
