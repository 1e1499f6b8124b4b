import type { Schemas } from '@millrace/api';

/** The factors on the story's amounts. */
export interface Size {
  /** Factor on the number of items. */
  readonly items: number;
  /** Factor on the time that an item takes. */
  readonly work: number;
  /** Factor on the time that people are given to read. */
  readonly reading: number;
}

/** A queue of the story, the pool whose devices work for it, and the work that it gets. */
export interface QueuePart {
  readonly name: string;
  readonly pool: string;
  readonly weight: number;
  /** Labels that a device must have, besides the bot. */
  readonly labels: readonly string[];
  /** The number of items at first. */
  readonly items: number;
  /** The approximate time of the bot for one item. */
  readonly seconds: number;
  readonly settings: Omit<Schemas['NewQueue'], 'name' | 'workItemModelId'>;
}

/** A pool of the story, the bot of its devices, and how long they keep an item without a sign of life. */
export interface PoolPart {
  readonly name: string;
  readonly scheme: Schemas['Pool']['scheme'];
  readonly bot: string;
  readonly hosts: readonly string[];
  readonly leaseSeconds: number;
}

/** The label that no device has when the story begins. */
export const signingLabel = 'signing-key';

export const pools: readonly PoolPart[] = [
  { name: 'Office', scheme: 'FAIR', bot: 'Clerk', hosts: numbered('office', 6), leaseSeconds: 30 },
  { name: 'Bank', scheme: 'PRIORITY', bot: 'Cashier', hosts: numbered('bank', 2), leaseSeconds: 5 },
];

const office = { pool: 'Office', labels: [], settings: { autoRetryLimit: 2 } };

export const queues: readonly QueuePart[] = [
  { ...office, name: 'Invoices', weight: 3, items: 114, seconds: 0.7 },
  { ...office, name: 'Refunds', weight: 2, items: 76, seconds: 0.8 },
  { ...office, name: 'Addresses', weight: 1, items: 38, seconds: 0.9 },
  {
    name: 'Payments',
    pool: 'Bank',
    weight: 1,
    labels: [signingLabel],
    items: 6,
    seconds: 2,
    settings: { autoRetryLimit: 2, reactivationThreshold: 10, reactivationUnit: 'COUNT' },
  },
];

/** The attributes of every item of the story. */
export const attributes: readonly Schemas['WorkItemAttribute'][] = [
  { name: 'reference', type: 'TEXT' },
  { name: 'amount', type: 'NUMBER' },
  { name: 'seconds', type: 'NUMBER' },
];

// So that enough is left of each queue for every chapter.
const fewest = 6;

/** The items of a queue; alike, but not equal. */
export function itemsFor({ name, items, seconds }: QueuePart, size: Size): Schemas['NewWorkItem'][] {
  const count = Math.max(fewest, Math.round(items * size.items));
  return Array.from({ length: count }, (_, index) => {
    const number = index + 1;
    const variety = 0.7 + ((number * 7) % 11) * 0.06;
    return {
      json: {
        reference: `${name.charAt(0)}-${String(number).padStart(3, '0')}`,
        amount: ((number * 37) % 60) * 20 + 5,
        seconds: Number((seconds * variety * size.work).toFixed(3)),
      },
    };
  });
}

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);
}
