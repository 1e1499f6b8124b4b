import { describe, expect, test } from 'vitest';
import { at, happens, ms } from './events.fixture.ts';
import { sumUp, wrongsOf, type Evidence } from './outcome.ts';
import { drawOutcome } from './tables.ts';

const { created, begun, done } = happens;
const [invoices, payments] = [1, 2];
const paying = { queueId: payments, itemId: 20, deviceId: 8 };
const beat = { operation: 'heartbeatWorkItems', from: 'IN_PROGRESS', to: 'IN_PROGRESS' } as const;

/** One invoice is done, one has failed; a payment was in doubt. */
const evidence: Evidence = {
  accepted: [10, 11, 20],
  items: [
    { id: 10, queueId: invoices, status: 'COMPLETE', endTime: 'then', retryCount: 1 },
    { id: 11, queueId: invoices, status: 'FAILED', endTime: 'then', failureKind: 'BUSINESS' },
    {
      id: 20,
      queueId: payments,
      status: 'COMPLETE',
      endTime: 'then',
      json: { reference: 'P-1' },
      comment: 'The bank has got P-1',
    },
  ],
  events: [
    created(0, { queueId: invoices, itemId: 10 }),
    created(0, { queueId: invoices, itemId: 11 }),
    created(0, paying),
    begun(0, { queueId: invoices, itemId: 10, deviceId: 7 }),
    begun(1, paying),
    at(2, { ...beat, ...paying, changes: { pointOfNoReturnOn: 'then' } }),
    done(2, { queueId: invoices, itemId: 10, deviceId: 7 }),
    begun(2, { queueId: invoices, itemId: 11, deviceId: 7 }),
    at(4, { operation: 'finishWorkItems', queueId: invoices, itemId: 11, from: 'IN_PROGRESS', to: 'FAILED' }),
    at(5, { operation: 'returnLapsedItems', ...paying, from: 'IN_PROGRESS', to: 'FAILED' }),
    at(6, { operation: 'resolveWorkItem', ...paying, from: 'FAILED', to: 'COMPLETE' }),
  ],
  queues: new Map([
    ['Invoices', invoices],
    ['Payments', payments],
  ]),
  devices: new Map([
    ['office-1', 7],
    ['bank-1', 8],
  ]),
  killed: new Map([[8, ms(3)]]),
  fair: { deviceIds: [7], queues: [{ queueId: invoices, weight: 1 }] },
  payments: { queueId: payments, sent: ['P-1'] },
};

describe('sumUp', () => {
  test('tells of each queue, each device and each unresolved outcome what became of it', () => {
    const outcome = sumUp(evidence);
    expect(outcome).toMatchObject({
      seconds: 5,
      queues: [
        {
          name: 'Invoices',
          items: 2,
          done: 1,
          failed: { BUSINESS: 1 },
          retried: 1,
          share: { got: 1, due: 1 },
        },
        { name: 'Payments', items: 1, done: 1, failed: {}, retried: 0 },
      ],
      devices: [
        { name: 'office-1', items: 2, busy: 4 / 5 },
        { name: 'bank-1', items: 1, busy: 1 },
      ],
      settled: [
        {
          queue: 'Payments',
          itemId: 20,
          device: 'bank-1',
          became: 'COMPLETE',
          note: 'The bank has got P-1',
        },
      ],
      lost: [],
      doneTwice: [],
      sentWrongly: [],
    });
    expect(wrongsOf(outcome)).toEqual([]);
    const text = drawOutcome(outcome);
    expect(text).toMatch(/^QUEUE +ITEMS +DONE +BUSINESS +RETRIED +SHARE +DUE$/m);
    expect(text).toMatch(/^Invoices +2 +1 +1 +1 +100 % +100 %$/m);
    expect(text).toMatch(/^Payments 20 +bank-1 +COMPLETE +The bank has got P-1$/m);
    expect(text).toMatch(/^lost +0$/m);
  });
});

describe('wrongsOf', () => {
  test.each([
    {
      what: 'an item that was accepted and is not there any more',
      change: { accepted: [...evidence.accepted, 99] },
      wrong: 'Items were lost: 99.',
    },
    {
      what: 'an item that has not ended',
      change: { items: [{ id: 10, queueId: invoices, status: 'NEW' as const }, ...evidence.items.slice(1)] },
      wrong: 'Items were lost: 10.',
    },
    {
      what: 'an item that was done twice',
      change: { events: [...evidence.events, done(7, { queueId: invoices, itemId: 10, deviceId: 7 })] },
      wrong: 'Items were done twice: 10.',
    },
    {
      what: 'a payment that was sent twice',
      change: { payments: { queueId: payments, sent: ['P-1', 'P-1'] } },
      wrong: 'Payments are done that were not sent exactly once: P-1.',
    },
    {
      what: 'a payment that is done and was never sent',
      change: { payments: { queueId: payments, sent: [] } },
      wrong: 'Payments are done that were not sent exactly once: P-1.',
    },
    {
      what: 'a queue that got nothing while all had work',
      change: {
        fair: {
          deviceIds: [7],
          queues: [
            { queueId: invoices, weight: 1 },
            { queueId: 3, weight: 1 },
          ],
        },
        queues: new Map([...evidence.queues, ['Refunds', 3]] as const),
        events: [created(0, { queueId: 3, itemId: 30 }), ...evidence.events],
      },
      wrong: 'FAIR starved the queue Refunds: it got less than half of its share.',
    },
  ])('$what is wrong', ({ change, wrong }) => {
    expect(wrongsOf(sumUp({ ...evidence, ...change }))).toEqual([wrong]);
  });
});
