import type { App } from '../../server/src/testing/app.ts';

/** Texts that would do something if they were taken for anything but text. */
export const hostile = [
  '<img src=x onerror="window.canary=1">',
  '"><script>window.canary=1</script>',
  "javascript:window.canary=1//'",
  '{{constructor.constructor("window.canary=1")()}}',
  'left\u202eright\u200bzero\u0007bell',
  '=HYPERLINK("http://example.invalid","x")',
];

/** The hostile texts that can be a name: those without invisible characters. */
export const hostileNames = hostile.filter((text) => /^[ -~]+$/.test(text));

/** A queue of invoices with items in all states; amounts have more digits than a double holds. */
export async function createInvoices({ admin }: App, name: string): Promise<number> {
  const attributes = [
    { name: 'number', type: 'TEXT' as const },
    { name: 'vendor', type: 'TEXT' as const, isRequired: false },
    { name: 'amount', type: 'NUMBER' as const, isRequired: false },
  ];
  const model = await admin.createWorkItemModel({ body: { name: `Model of ${name}`, attributes } });
  const workItemModelId = Number(model.body.id);
  const queue = await admin.createQueue({ body: { name, workItemModelId, status: 'ACTIVE' } });
  return Number(queue.body.id);
}

export async function addItems(
  { admin }: App,
  id: number,
  records: Record<string, unknown>[],
): Promise<void> {
  const workItems = records.map((json) => ({ json }));
  const { status, error } = await admin.createWorkItems({ path: { id }, body: { workItems } });
  if (status !== 200) throw new Error(error.message);
}

/** Fails the next items of a queue. */
export async function failItems({ admin }: App, id: number, count: number, error: string): Promise<void> {
  const { list } = (await admin.claimWorkItems({ path: { id }, body: { count } })).body;
  const results = list.map((item) => ({
    id: Number(item.id),
    version: Number(item.version),
    status: 'FAILED' as const,
    failureKind: 'BUSINESS' as const,
    error,
  }));
  await admin.finishWorkItems({ path: { id }, body: { results } });
}

/** Leaves the next item of a queue in doubt. */
export async function leaveInDoubt({ admin }: App, id: number): Promise<number> {
  const [item] = (await admin.claimWorkItems({ path: { id }, body: { count: 1 } })).body.list;
  const held = { id: Number(item?.id), version: Number(item?.version) };
  const progress = { percent: 60, text: 'payment sent' };
  const lease = { ...held, pointOfNoReturn: true, progress, logTail: 'sending the payment' } as const;
  await admin.heartbeatWorkItems({ path: { id }, body: { leases: [lease] } });
  const report = { ...held, status: 'FAILED', failureKind: 'SYSTEM', error: 'connection lost' } as const;
  await admin.finishWorkItems({ path: { id }, body: { results: [report] } });
  return held.id;
}
