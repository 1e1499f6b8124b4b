import { toDouble, type ExactNumber } from '@millrace/api';
import { valueOf, type JsonRecord } from '../models/record.ts';
import type { Attribute } from '../models/rules.ts';
import { orderOf, type QueueDefinition } from '../queues/rules.ts';

// A longer text is ordered by its beginning: the key is part of an index row, which PostgreSQL limits.
const keptTextBytes = 96;
const arrivalBytes = 8;
const highestPriority = 9;

/**
 * The place of an item among those that wait, as bytes that sort as claims go: priority, then the attributes of the
 * queue's processing order, then arrival. An attribute without a value comes last, in either direction.
 */
export function sortKey(
  { processingOrders, attributes }: Pick<QueueDefinition, 'processingOrders' | 'attributes'>,
  priority: number,
  record: JsonRecord,
  arrival: Date,
): Buffer {
  const parts = processingOrders.map((order) => orderBytes(attributes, order, record));
  return Buffer.concat([Buffer.from([highestPriority - priority]), ...parts, arrivalOf(arrival)]);
}

/** The key of the same item behind all of equal rank that have arrived until now. */
export function movedBehind(key: Buffer, now: Date): Buffer {
  return Buffer.concat([key.subarray(0, -arrivalBytes), arrivalOf(now)]);
}

/** When the item that has this key arrived, or was last moved behind the others. */
export function arrivalIn(key: Buffer): Date {
  return new Date(Number(key.readBigUInt64BE(key.length - arrivalBytes)));
}

function orderBytes(attributes: readonly Attribute[], order: string, record: JsonRecord): Buffer {
  const found = orderOf(attributes, order);
  const value = found && valueOf(record, found.attribute.name);
  if (!found || value === undefined) return Buffer.from([1]);
  const bytes = valueBytes(found.attribute.type, value);
  return Buffer.concat([Buffer.from([0]), found.isDescending ? bytes.map((byte) => 255 - byte) : bytes]);
}

function valueBytes(type: Attribute['type'], value: unknown): Buffer {
  if (type === 'TEXT') return textBytes(String(value));
  if (type === 'BOOLEAN') return Buffer.from([value === true ? 1 : 0]);
  return doubleBytes(
    type === 'DATE' ? Date.parse(String(value)) : toDouble(value as number | bigint | ExactNumber),
  );
}

/** Texts hold no NUL, so one at the end makes a text sort before those that begin with it. */
function textBytes(text: string): Buffer {
  return Buffer.concat([Buffer.from(text).subarray(0, keptTextBytes), Buffer.from([0])]);
}

/** A double as bytes that sort like numbers: the sign bit flipped, negative numbers inverted as a whole. */
function doubleBytes(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  // Adding zero turns -0, which equals 0, into 0.
  bytes.writeDoubleBE(value + 0);
  const isNegative = (bytes[0] ?? 0) >= 128;
  if (isNegative) return bytes.map((byte) => 255 - byte) as Buffer;
  bytes[0] = (bytes[0] ?? 0) + 128;
  return bytes;
}

function arrivalOf(time: Date): Buffer {
  const bytes = Buffer.alloc(arrivalBytes);
  bytes.writeBigUInt64BE(BigInt(time.getTime()));
  return bytes;
}
