import type { Id, Schemas } from '@millrace/api';
import type { Db } from '../db.ts';
import { inPresentNames, isFormer } from '../models/names.ts';
import type { JsonRecord } from '../models/record.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { saveRecords, selectVersionedRecord } from './names.sql.ts';

type WorkItem = Schemas['WorkItem'];

/** The item as it is shown: while it waits, under the names that the attributes have now. */
export function shown<I extends WorkItem>(queue: QueueDefinition, item: I): I {
  return item.status === 'NEW' || item.status === 'DEFERRED' ? inNamesOfNow(queue, item) : item;
}

function inNamesOfNow<I extends WorkItem>(queue: QueueDefinition, item: I): I {
  const { json = {}, modelVersion = 0 } = item;
  if (!isFormer(queue, modelVersion)) return item;
  return { ...item, json: inPresentNames(queue, json, modelVersion), modelVersion: queue.modelVersion };
}

/** Items that were just granted, under the names of now, which they keep while they are in progress. */
export async function renameGranted<I extends WorkItem & { id?: Id }>(
  db: Db,
  queue: QueueDefinition,
  granted: readonly I[],
): Promise<I[]> {
  const former = granted.filter(({ modelVersion = 0 }) => isFormer(queue, modelVersion));
  if (former.length === 0) return [...granted];
  const items = granted.map((item) => inNamesOfNow(queue, item));
  const ids = new Set(former.map(({ id }) => id));
  const renamed = items.filter(({ id }) => ids.has(id));
  const records = renamed.map(({ id = 0, json = {} }) => ({ id, json }));
  await saveRecords(db, queue.id, records, queue.modelVersion);
  return items;
}

/** The record of an item under the names of now. */
export async function readRecord(db: Db, queue: QueueDefinition, itemId: Id): Promise<JsonRecord> {
  const record = await selectVersionedRecord(db, queue.id, itemId);
  return record ? inPresentNames(queue, record.json, record.modelVersion) : {};
}
