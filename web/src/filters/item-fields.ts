import { statuses, type Schemas } from '@millrace/api';
import type { Field, Fields, FieldType } from './compile.ts';

const failureKinds = ['BUSINESS', 'SYSTEM', 'DATA_ERROR', 'EXPIRED', 'IN_DOUBT'];

const fixed: Record<string, FieldType> = {
  id: 'id',
  status: statuses,
  failureKind: failureKinds,
  result: ['SUCCESS', 'FAILURE'],
  priority: 'id',
  retryCount: 'id',
  lapseCount: 'id',
  version: 'id',
  deviceId: 'id',
  automationId: 'id',
  deviceUserId: 'id',
  batchId: 'same',
  createdBy: 'id',
  updatedBy: 'id',
  createdOn: 'time',
  updatedOn: 'time',
  startTime: 'time',
  endTime: 'time',
  deferredUntil: 'time',
  notBefore: 'time',
  expiresOn: 'time',
  leaseExpiresOn: 'time',
  pointOfNoReturnOn: 'time',
  cancelRequestedOn: 'time',
  comment: 'text',
  error: 'text',
  errorSignature: 'text',
  resultText: 'text',
  tags: 'texts',
  any: 'texts',
};

/** Shorter names for often typed fields. */
const short = {
  created: 'createdOn',
  updated: 'updatedOn',
  tag: 'tags',
  kind: 'failureKind',
  device: 'deviceId',
  tries: 'retryCount',
  batch: 'batchId',
};

const columnTypes: Record<string, FieldType> = {
  TEXT: 'text',
  NUMBER: 'number',
  DATE: 'date',
  BOOLEAN: 'boolean',
};

/** The fields of the items of a queue: those that all items have, and its display columns by name. */
export function fieldsOfItems(queue: Schemas['Queue'], model: Schemas['WorkItemModel'] | undefined): Fields {
  const attributeOf = (name: string) => model?.attributes?.find((one) => one.name === name);
  const typeOf = (name: string): FieldType => columnTypes[attributeOf(name)?.type ?? ''] ?? 'text';
  const hides = (name: string) => ['PERSONAL', 'SECRET'].includes(attributeOf(name)?.sensitivity ?? '');
  const columns = (queue.displayColumns ?? []).flatMap((name, index): [string, Field][] => {
    const field = { name: `col${index + 1}`, type: typeOf(name), isHidden: hides(name) };
    return [
      [name, field],
      [field.name, field],
    ];
  });
  const named = Object.entries(fixed).map(([name, type]): [string, Field] => [name, { name, type }]);
  const shortened = Object.entries(short).map(([name, full]): [string, Field] => [
    name,
    { name: full, type: fixed[full] ?? 'text' },
  ]);
  // Fields of all items go before attributes of the same name, which `col1` to `col10` still reach.
  const all = [...columns, ...shortened, ...named];
  return new Map(all.map(([name, field]) => [name.toLowerCase(), field]));
}
