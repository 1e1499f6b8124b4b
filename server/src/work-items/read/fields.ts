import { ExactNumber } from '@millrace/api';
import { isInBatch } from '../../batches/items.ts';
import { empty, join, raw, sql, type Sql } from '../../engine/db.ts';
import { listRefusal, type Field } from '../../engine/lists/values.ts';
import type { Attribute, QueueDefinition } from '../../engine/operation.ts';
import { recordProblems } from '../../records/record.ts';
import { digestOf } from '../../records/sealed.ts';
import { isMarked } from '../../records/sensitive.rules.ts';
import { attributeText, nameInRecord, openValues } from '../../records/stored.ts';

/** The members for filters and sorting; a column has the type of its attribute. */
export function itemFields(
  queue: Pick<QueueDefinition, 'displayColumns' | 'attributes' | 'sealer'>,
): Record<string, Field> {
  const { displayColumns, attributes } = queue;
  const columns = displayColumns.map((name, index): [string, Field] => {
    const attribute = attributes.find((one) => one.name === name);
    const field = columnFields[attribute?.type ?? 'TEXT'](attributeText(attributes, name));
    const isHashed = attribute !== undefined && isMarked(attribute);
    return [`col${index + 1}`, isHashed ? hashedField(queue, attribute) : field];
  });
  return { ...fixedFields, ...sensitiveFields(attributes.filter(isMarked)), ...Object.fromEntries(columns) };
}

/** With sensitive attributes, values from before they were marked are excluded from searches, even though they are not sealed yet. */
function sensitiveFields(marked: readonly Attribute[]): Record<string, Field> {
  if (marked.length === 0) return {};
  const names = join(marked.map((one) => nameInRecord(one)));
  return {
    any: { column: valuesOfRecord(sql`and (key = any(array[${names}]::text[])) is not true`), type: 'texts' },
    // The row and the file; the rest may reveal values.
    error: {
      column: raw(
        "(case when i.failure_kind = 'DATA_ERROR' then split_part(i.error, E'\\n', 1) else i.error end)",
      ),
      type: 'text',
    },
  };
}

/** All unsealed values of a record, as texts. */
function valuesOfRecord(condition: Sql = empty): Sql {
  return sql`array(select value from (${openValues}) v where true ${condition})`;
}

/** A sensitive attribute, found by the hash of its value. @param column the column with the hash, if it is not in the record */
export function hashedField(
  { attributes, sealer }: Pick<QueueDefinition, 'attributes' | 'sealer'>,
  attribute: Attribute,
  column: Sql = attributeText(attributes, attribute.name),
): Field {
  return {
    column,
    type: 'text',
    hashed: (value, pointer) => {
      const own = valueInFilter(attribute, value);
      if (own === undefined) throw listRefusal(pointer, `must be a ${attribute.type} for ${attribute.name}`);
      return sealer ? digestOf(sealer, attribute, own) : '';
    },
  };
}

/** A value for a search in the form of records, where numbers and booleans may come as texts; undefined for a value of another type. */
export function valueInFilter({ type }: Attribute, value: unknown): unknown {
  if (type === 'BOOLEAN') return typeof value === 'string' ? { true: true, false: false }[value] : value;
  if (type === 'NUMBER' && typeof value === 'string') return numberIn(value);
  return recordProblems([{ name: 'value', type, isRequired: true }], { value }).length === 0
    ? value
    : undefined;
}

function numberIn(text: string): unknown {
  return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text.trim()) ? new ExactNumber(text.trim()) : undefined;
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
  batchId: { column: raw('i.batch_id'), type: 'id', has: isInBatch },
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
  errorSignature: { column: raw('i.error_signature'), type: 'text' },
  resultText: { column: raw('i.result_text'), type: 'text' },
  tags: { column: raw('i.tags'), type: 'texts' },
  any: { column: valuesOfRecord(), type: 'texts' },
};
