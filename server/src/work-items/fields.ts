import { raw, sql, type Sql } from '../db.ts';
import type { Field } from '../lists.ts';
import type { Attribute } from '../models/rules.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { attributeText } from './names.sql.ts';

/** The members to filter and sort on; a column has the type of its attribute. */
export function itemFields({ displayColumns, attributes }: QueueDefinition): Record<string, Field> {
  const columns = displayColumns.map((name, index): [string, Field] => {
    const type = attributes.find((attribute) => attribute.name === name)?.type ?? 'TEXT';
    return [`col${index + 1}`, columnFields[type](attributeText(attributes, name))];
  });
  return { ...fixedFields, ...Object.fromEntries(columns) };
}

const columnFields: Record<Attribute['type'], (text: Sql) => Field> = {
  TEXT: (text) => ({ column: text, type: 'text' }),
  NUMBER: (text) => ({ column: sql`${text}::numeric`, type: 'number' }),
  DATE: (text) => ({ column: sql`${text}::timestamptz`, type: 'time' }),
  BOOLEAN: (text) => ({ column: sql`${text}::boolean`, type: 'boolean' }),
};

const fixedFields: Record<string, Field> = {
  id: { column: raw('i.id'), type: 'id' },
  status: { column: raw('i.status'), type: ['NEW', 'IN_PROGRESS', 'FAILED', 'COMPLETE', 'DEFERRED'] },
  result: { column: raw('i.result'), type: ['SUCCESS', 'FAILURE'] },
  failureKind: {
    column: raw('i.failure_kind'),
    type: ['BUSINESS', 'SYSTEM', 'DATA_ERROR', 'EXPIRED', 'IN_DOUBT'],
  },
  priority: { column: raw('i.priority'), type: 'integer' },
  retryCount: { column: raw('i.retry_count'), type: 'integer' },
  lapseCount: { column: raw('i.lapse_count'), type: 'integer' },
  version: { column: raw('i.version'), type: 'integer' },
  deviceId: { column: raw('i.device_id'), type: 'id' },
  automationId: { column: raw('i.automation_id'), type: 'id' },
  deviceUserId: { column: raw('i.run_as_user_id'), type: 'id' },
  createdBy: { column: raw('i.created_by'), type: 'id' },
  updatedBy: { column: raw('i.updated_by'), type: 'id' },
  startTime: { column: raw('i.started_on'), type: 'time' },
  endTime: { column: raw('i.ended_on'), type: 'time' },
  createdOn: { column: raw('i.created_on'), type: 'time' },
  updatedOn: { column: raw('i.updated_on'), type: 'time' },
  leaseExpiresOn: { column: raw('i.lease_expires_on'), type: 'time' },
  deferredUntil: { column: raw("(case when i.status = 'DEFERRED' then i.not_before end)"), type: 'time' },
  notBefore: { column: raw("(case when i.status = 'NEW' then i.not_before end)"), type: 'time' },
  expiresOn: { column: raw('i.expires_on'), type: 'time' },
  pointOfNoReturnOn: { column: raw('i.point_of_no_return_on'), type: 'time' },
  cancelRequestedOn: { column: raw('i.cancel_requested_on'), type: 'time' },
  comment: { column: raw('i.comment'), type: 'text' },
  error: { column: raw('i.error'), type: 'text' },
  resultText: { column: raw('i.result_text'), type: 'text' },
  tags: { column: raw('i.tags'), type: 'texts' },
};
