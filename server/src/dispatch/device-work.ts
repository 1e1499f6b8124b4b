import type { Schemas } from '@millrace/api';
import { queuesOfUser } from '../access/members/membership.ts';
import { seesAllQueues } from '../access/users/permissions.ts';
import { raw, sql, type Sql } from '../engine/db.ts';
import { listQuery, pageOf } from '../engine/lists/lists.ts';
import type { Field } from '../engine/lists/values.ts';
import type { Actor, PlainOperation } from '../engine/operation.ts';
import { isSeenBy } from '../fleet/devices/find.ts';
import { endIfTakenBack } from '../work-items/lease/rules.ts';

type Running = Schemas['RunningItem'];

export const listDeviceWork: PlainOperation<'listDeviceWork'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, fields, raw('i.id'));
  const { where, orderBy, limit, offset } = query;
  const rows = sql`
    (select w.*, ${seenBy(actor)} as is_seen from work_items w where w.status = 'IN_PROGRESS' and w.device_id is not null) i
    join devices d on d.id = i.device_id left join runs r on r.queue_id = i.queue_id and r.item_id = i.id
    left join automations a on a.id = i.automation_id where ${isSeenBy(actor)}`;
  const page = await pageOf(db, query, rows);
  const list = await db.rows<Omit<Running, 'ifTakenBack'>>(sql`
    select i.device_id as "deviceId", a.bot_name as "botName", i.started_on as "startedOn",
      i.lease_expires_on as "leaseExpiresOn", i.cancel_requested_on as "cancelRequestedOn",
      i.point_of_no_return_on as "pointOfNoReturnOn", ${ofItem}
    from ${rows} and ${where} order by ${orderBy} limit ${limit} offset ${offset}`);
  const withEnd = (item: Omit<Running, 'ifTakenBack'>) => ({
    ...item,
    ifTakenBack: endIfTakenBack({ ...item, status: 'IN_PROGRESS' }),
  });
  return { page, list: list.map(withEnd) };
};

function seenBy({ id, permissions, queueIds }: Actor): Sql {
  const ofKey = queueIds ? sql`w.queue_id = any(${queueIds}::bigint[])` : sql`true`;
  if (seesAllQueues(permissions)) return ofKey;
  return sql`(${ofKey} and w.queue_id in (${queuesOfUser(id)}))`;
}

const ifSeen = (column: string) => `case when i.is_seen then ${column} end`;

/** Members for users who may see the queue only. */
const ofItem =
  raw(`${ifSeen('i.queue_id')} as "queueId", ${ifSeen('i.id')} as "itemId", ${ifSeen('i.progress')} as progress,
  ${ifSeen('a.id')} as "automationId", ${ifSeen('a.name')} as "automationName",
  ${ifSeen('(select q.name from queues q where q.id = i.queue_id)')} as "queueName",
  ${ifSeen('(select u.username from users u where u.id = r.run_as_user_id)')} as "runAsUserName"`);

/**
 * The fields by which items on devices can be filtered and sorted; items of unseen queues have no values there, so that they cannot be
 * found by them.
 */
const fields: Record<string, Field> = {
  deviceId: { column: raw('i.device_id'), type: 'id' },
  queueId: { column: raw(ifSeen('i.queue_id')), type: 'id' },
  automationId: { column: raw(ifSeen('a.id')), type: 'id' },
  botName: { column: raw('a.bot_name'), type: 'text' },
  startedOn: { column: raw('i.started_on'), type: 'time' },
  leaseExpiresOn: { column: raw('i.lease_expires_on'), type: 'time' },
};
