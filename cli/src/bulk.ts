import type { Client, Id, Schemas } from '@millrace/api';
import { isRecord } from './body.ts';
import type { LiveLine } from './live-line.ts';

type Request = Schemas['BulkRequest'];
type Outcome = Schemas['BulkOutcome'];

/** A bulk request and the queue it goes to. */
export interface BulkCall {
  readonly path: { readonly id: Id };
  readonly body: Request;
}

interface Portion {
  readonly body: Request;
  /** Items in all portions together. */
  readonly total: number;
}

const usualLength = 5000;
const shownRefusals = 1000;
// The server handles many hundreds of items a second; a dry run looks at all of them in one call.
const callSeconds = 1800;
const nothing: Outcome = {
  dryRun: false,
  selected: 0,
  changed: 0,
  unchanged: 0,
  refused: 0,
  refusals: [],
  isMore: false,
};

/**
 * Changes many items in several calls, to show the progress. The items are those that exist when it begins. When a call fails, earlier
 * changes stay, and their number is reported.
 */
export async function updateInPortions(
  client: Client,
  call: BulkCall,
  line: LiveLine,
  portionLength = usualLength,
): Promise<Outcome> {
  let sum = nothing;
  try {
    for await (const { body, total } of portionsOf(client, call, portionLength)) {
      const options = { timeoutSeconds: callSeconds };
      const portion = { ...body, ...(sum.batchId !== undefined && { batchId: sum.batchId }) };
      sum = together(sum, await client.updateWorkItemStatus({ path: call.path, body: portion }, options));
      line.update(`${counted(sum.selected)} of ${counted(Math.max(total, sum.selected))} items`);
    }
  } catch (error) {
    line.end();
    if (sum.changed > 0) line.say(`Before it failed, ${counted(sum.changed)} items were changed.`);
    throw error;
  }
  line.end();
  return sum;
}

/** A dry run is one call: its decision on an item depends on the items before. */
function portionsOf(client: Client, call: BulkCall, length: number): AsyncIterable<Portion> | Portion[] {
  const { body } = call;
  const { ids, filter, dryRun } = body;
  if (dryRun === true) return [{ body, total: 0 }];
  if (Array.isArray(ids) && filter === undefined) return portionsOfIds(body, ids, length);
  if (ids === undefined && restricts(filter)) return portionsOfFilter(client, call, length);
  // The server refuses it with the reason.
  return [{ body, total: 0 }];
}

function portionsOfIds(body: Request, ids: readonly Id[], length: number): Portion[] {
  const count = Math.max(1, Math.ceil(ids.length / length));
  return Array.from({ length: count }, (_, index) => ({
    body: { ...body, ids: ids.slice(index * length, (index + 1) * length) },
    total: ids.length,
  }));
}

/** Portions in the order of ids, up to the last item that exists at the beginning. */
async function* portionsOfFilter(
  client: Client,
  { path, body }: BulkCall,
  length: number,
): AsyncGenerator<Portion> {
  const ask = (request: Schemas['WorkItemListRequest']) =>
    client.listWorkItems({ path, body: { fields: ['id'], ...request } }, { timeoutSeconds: callSeconds });
  const [newest] = (await ask({ sort: [{ field: 'id', direction: 'desc' }], page: { length: 1 } })).list;
  const { page } = await ask({ filter: body.filter ?? null, page: { length: 1 } });
  const total = page.totalFilter ?? 0;
  const last = newest?.id ?? 0;
  if (last === 0) yield { body, total };
  for (let after: Id = 0; after < last;) {
    const upTo: Id = await endOfPortion(ask, within(body.filter, after, last), length, last);
    yield { body: { ...body, filter: within(body.filter, after, upTo) }, total };
    after = upTo;
  }
}

type Ask = (request: Schemas['WorkItemListRequest']) => Promise<Schemas['WorkItemPage']>;

/** The last of the first items that a filter selects, in the order of ids; the search may take several calls. */
async function endOfPortion(ask: Ask, filter: object, length: number, last: Id): Promise<Id> {
  let after: string | null = null;
  for (;;) {
    const { list, page } = await ask({ filter: { ...filter }, page: { length, total: false, after } });
    const end = list.at(-1)?.id;
    if (end !== undefined && (list.length === length || page.isPartial === true)) return end;
    if (page.next === undefined) return last;
    after = page.next;
  }
}

function within(filter: unknown, after: Id, upTo: Id): Record<string, unknown> {
  const bounds = [
    { operator: 'gt', field: 'id', value: after },
    { operator: 'le', field: 'id', value: upTo },
  ];
  return { operator: 'and', operands: [filter, ...bounds] };
}

/** Whether a filter selects less than everything: the bounds of a portion must not make it look so. */
function restricts(filter: unknown): boolean {
  if (!isRecord(filter)) return false;
  const { operator, operands, field } = filter;
  if (Array.isArray(operands)) return operands.some(restricts);
  return field !== undefined && String(operator).toUpperCase() !== 'NONE';
}

function together(
  sum: Outcome,
  { dryRun, lastId, isMore, batchId = sum.batchId, ...more }: Outcome,
): Outcome {
  return {
    dryRun,
    selected: sum.selected + more.selected,
    changed: sum.changed + more.changed,
    unchanged: sum.unchanged + more.unchanged,
    refused: sum.refused + more.refused,
    refusals: [...sum.refusals, ...more.refusals].slice(0, shownRefusals),
    isMore,
    ...(batchId !== undefined && { batchId }),
    ...(lastId !== undefined && { lastId }),
  };
}

function counted(count: number): string {
  return count.toLocaleString('en');
}
