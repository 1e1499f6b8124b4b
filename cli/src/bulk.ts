import type { Client, Id, Schemas } from '@millrace/api';
import { isRecord } from './body.ts';
import type { LiveLine } from './live-line.ts';

type Request = Schemas['BulkRequest'];
type Outcome = Schemas['BulkOutcome'];

/** What to send, to which queue. */
export interface BulkCall {
  readonly path: { readonly id: Id };
  readonly body: Request;
}

interface Portion {
  readonly body: Request;
  /** Of how many items it is a part. */
  readonly total: number;
}

const usualLength = 5000;
const shownRefusals = 1000;
// The server deals with many hundreds of items a second; a dry run looks at all of them in one call.
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
 * Does one thing to many items in several calls, so that people see how far it has come; to all of them, however many.
 * The items are those that are there when it begins. When a call fails, what was done stays done, and is said.
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
      sum = together(sum, await client.updateWorkItemStatus({ path: call.path, body }, options));
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

/** A trial is one call: it decides on each item in the light of those before it. */
function portionsOf(client: Client, call: BulkCall, length: number): AsyncIterable<Portion> | Portion[] {
  const { body } = call;
  const { ids, filter, dryRun } = body;
  if (dryRun === true) return [{ body, total: 0 }];
  if (Array.isArray(ids) && filter === undefined) return portionsOfIds(body, ids, length);
  if (ids === undefined && restricts(filter)) return portionsOfFilter(client, call, length);
  // The server says what is wrong with it.
  return [{ body, total: 0 }];
}

function portionsOfIds(body: Request, ids: readonly Id[], length: number): Portion[] {
  const count = Math.max(1, Math.ceil(ids.length / length));
  return Array.from({ length: count }, (_, index) => ({
    body: { ...body, ids: ids.slice(index * length, (index + 1) * length) },
    total: ids.length,
  }));
}

/** From id to id, up to the last item that there is at the beginning. */
async function* portionsOfFilter(
  client: Client,
  { path, body }: BulkCall,
  length: number,
): AsyncGenerator<Portion> {
  const find = (filter: Request['filter'], direction: 'asc' | 'desc', offset: number) => {
    const request = {
      filter: filter ?? null,
      sort: [{ field: 'id', direction }],
      page: { offset, length: 1 },
    };
    return client.listWorkItems({ path, body: request }, { timeoutSeconds: callSeconds });
  };
  const { page, list } = await find(body.filter, 'desc', 0);
  const last = list[0]?.id ?? 0;
  if (last === 0) yield { body, total: 0 };
  for (let after: Id = 0; after < last;) {
    const rest = await find(within(body.filter, after, last), 'asc', length - 1);
    const upTo: Id = rest.list[0]?.id ?? last;
    yield { body: { ...body, filter: within(body.filter, after, upTo) }, total: page.totalFilter };
    after = upTo;
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

function together(sum: Outcome, { dryRun, lastId, isMore, ...more }: Outcome): Outcome {
  return {
    dryRun,
    selected: sum.selected + more.selected,
    changed: sum.changed + more.changed,
    unchanged: sum.unchanged + more.unchanged,
    refused: sum.refused + more.refused,
    refusals: [...sum.refusals, ...more.refusals].slice(0, shownRefusals),
    isMore,
    ...(lastId !== undefined && { lastId }),
  };
}

function counted(count: number): string {
  return count.toLocaleString('en');
}
