import { ApiError, toId, type Id, type Schemas } from '@millrace/api';
import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  type InfiniteData,
} from '@tanstack/react-query';
import { call } from '../connection/client.ts';
import type { Params } from '../connection/lazily.ts';
import { query, queryClient, read } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';
import { carryOut } from '../dialogs/queries.ts';
import type { Compiled } from '../filters/compile.ts';
import { queueQuery } from '../queues/queries.ts';
import type { Changed } from '../live/effects.ts';
import type { Looked } from './live-rules.ts';

export type Item = Schemas['WorkItem'];

export interface Listing {
  readonly filter: Compiled | undefined;
  readonly sort: readonly { readonly field: string; readonly direction: string }[];
  readonly fields: readonly string[];
}

const pageLength = 200;

/** The items of a queue, page by page: each costs the same, however far it is from the first. */
export function itemsQuery(id: Id, { filter, sort, fields }: Listing) {
  const request = { filter: filter ?? null, sort: [...sort], fields: [...fields] };
  return infiniteQueryOptions({
    queryKey: ['listWorkItems', { path: { id }, body: request }] as const,
    queryFn: ({ pageParam, signal }) => {
      const page = { length: pageLength, ...(pageParam && { after: pageParam, total: false }) };
      return call('listWorkItems', { path: { id }, body: { ...request, page } }, { signal });
    },
    initialPageParam: '',
    getNextPageParam: ({ page }) => page.next,
    placeholderData: keepPreviousData,
  });
}

type Page = Schemas['WorkItemPage'];

/** Reads changed items of a list again, puts their values in place, and tells which of them the filter selects now. */
export async function lookAgain(id: Id, listing: Listing, items: Changed): Promise<Looked> {
  const { queryKey } = itemsQuery(id, listing);
  const listed = new Set(listedIn(queryClient.getQueryData(queryKey)));
  const isMany = typeof items === 'string' || items.length > mostLooked;
  const touched = isMany ? [...listed].slice(0, mostRows) : items;
  if (items === 'values') {
    await putIn(id, listing, touched);
    return { touched: [], listed, selected: [] };
  }
  if (touched.length === 0) return { touched, listed, selected: isMany ? undefined : [] };
  if (isMany) {
    // That much has changed is told even where the values cannot be read just now.
    await putIn(id, listing, touched).catch(() => undefined);
    return { touched, listed, selected: undefined };
  }
  const [selected] = await Promise.all([
    readItems(id, amongThem(listing.filter, touched), ['id']),
    putIn(id, listing, touched),
  ]);
  return { touched, listed, selected: selected.map((item) => String(item.id)) };
}

/** Has a list read again when it is opened the next time: rows wait for it by then. */
export function outdate(id: Id, listing: Listing): void {
  const { queryKey } = itemsQuery(id, listing);
  void queryClient.invalidateQueries({ queryKey, exact: true, refetchType: 'none' });
}

/** The most comparisons that a filter may have beside the typed ones. */
const mostLooked = 60;
/** The most rows that are read again where too much has changed to look at each item. */
const mostRows = 300;

/** Reads items of a list again and puts their values in place. */
async function putIn(id: Id, listing: Listing, ids: readonly string[]): Promise<void> {
  const portions = Array.from({ length: Math.ceil(ids.length / mostLooked) }, (_, index) =>
    ids.slice(index * mostLooked, (index + 1) * mostLooked),
  );
  const answers = portions.map((portion) => readItems(id, anyOf(portion), listing.fields));
  const now = (await Promise.all(answers)).flat();
  const { queryKey } = itemsQuery(id, listing);
  queryClient.setQueryData<InfiniteData<Page, string>>(queryKey, (data) => data && withValues(data, now));
}

function amongThem(filter: Compiled | undefined, ids: readonly string[]): Compiled {
  return filter ? { operator: 'and', operands: [filter, anyOf(ids)] } : anyOf(ids);
}

function anyOf(ids: readonly string[]): Compiled {
  return { operator: 'or', operands: ids.map((value) => ({ operator: 'eq', field: 'id', value })) };
}

async function readItems(id: Id, filter: Compiled, fields: readonly string[]): Promise<Item[]> {
  const page = { length: mostLooked, total: false };
  const body = { filter: { ...filter }, fields: ['id', ...fields], page };
  return (await call('listWorkItems', { path: { id }, body })).list;
}

function listedIn(data: InfiniteData<Page, string> | undefined): string[] {
  return data?.pages.flatMap(({ list }) => list.map((item) => String(item.id))) ?? [];
}

function withValues(data: InfiniteData<Page, string>, now: readonly Item[]): InfiniteData<Page, string> {
  const known = new Map(now.map((item) => [String(item.id), item]));
  const pages = data.pages.map((page) => ({
    ...page,
    list: page.list.map((item) => known.get(String(item.id)) ?? item),
  }));
  return { ...data, pages };
}

/** Reads a list from its beginning, with the rows that have come and without those that have gone. */
export async function startOver(id: Id, listing: Listing): Promise<void> {
  const { queryKey } = itemsQuery(id, listing);
  queryClient.setQueryData<InfiniteData<Page, string>>(
    queryKey,
    (data) => data && { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) },
  );
  await queryClient.invalidateQueries({ queryKey, exact: true });
}

const fewestTyped = 2;
const mostTyped = 200;
const mostFound = 10;
const settleMs = 200;

/** Items of all queues that contain a typed text: asked for once typing pauses, and given up when it goes on. */
export function foundQuery(typed: string) {
  const text = typed.trim();
  const input = { body: { text, limit: mostFound } };
  return queryOptions({
    queryKey: ['findWorkItems', input] as const,
    queryFn: async ({ signal }) => {
      await new Promise((settled) => setTimeout(settled, settleMs));
      return call('findWorkItems', input, { signal });
    },
    enabled: text.length >= fewestTyped && text.length <= mostTyped,
    retry: false,
  });
}

export function itemQuery(id: Id, workItemId: Id) {
  return query('getWorkItem', { path: { id, workItemId } });
}

const noId: Id = 0;

/** The events of an item, page by page. */
export function itemEventsQuery(id: Id, workItemId: Id) {
  const path = { id, workItemId };
  return infiniteQueryOptions({
    queryKey: ['listWorkItemEvents', { path }] as const,
    queryFn: ({ pageParam, signal }) =>
      call('listWorkItemEvents', { path, ...(pageParam && { query: { after: pageParam } }) }, { signal }),
    initialPageParam: noId,
    getNextPageParam: ({ list, isMore }) => (isMore ? list.at(-1)?.id : undefined),
  });
}

export function whyQuery(id: Id, workItemId: Id) {
  return query('explainWorkItem', { path: { id, workItemId } });
}

/** Loads the data of the page of an item. */
export async function loadItem(params: Params): Promise<void> {
  const ids = [toId(params['id'] ?? ''), toId(params['workItemId'] ?? '')] as const;
  await Promise.all([
    read(queueQuery(ids[0])),
    read(itemQuery(...ids)),
    read(whyQuery(...ids)),
    queryClient.infiniteQuery({ ...itemEventsQuery(...ids), staleTime: 'static' }),
  ]);
}

/** The actions of a person on one item, beside correcting it. */
export type ItemAction = 'release' | 'restart' | 'cancel' | 'done' | 'notDone' | 'partly';

const answers = { done: 'DONE', notDone: 'NOT_DONE', partly: 'PARTLY' } as const;

/** The request for an action on the item as seen: refused when it has moved on meanwhile. */
export function actRequest(action: ItemAction, item: Item, text: string): Request {
  const path = { id: item.queueId ?? 0, workItemId: item.id ?? 0 };
  const version = item.version ?? 0;
  const reason = text === '' ? {} : { reason: text };
  if (action === 'release') return requestFor('releaseWorkItem', { path, body: { version, ...reason } });
  if (action === 'restart') return requestFor('restartWorkItem', { path, body: { version, ...reason } });
  if (action === 'cancel') return requestFor('cancelWorkItem', { path, body: reason });
  const note = text === '' ? {} : { note: text };
  return requestFor('resolveWorkItem', { path, body: { version, answer: answers[action], ...note } });
}

/** An item that has moved on, so that an action on it as it was seen is refused. */
export interface Moved {
  readonly item: Item;
  /** The words of the server. */
  readonly message: string;
  /** The user who has changed it last, as far as its events are read. */
  readonly by: string | undefined;
}

/**
 * Acts on an item as seen.
 * @returns the present item when it has moved on meanwhile: then nothing is done
 */
export async function act(action: ItemAction, item: Item, text: string): Promise<Moved | undefined> {
  try {
    await carryOut([actRequest(action, item, text)]);
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    const path = { id: item.queueId ?? 0, workItemId: item.id ?? 0 };
    const [now, { list, isMore }] = await Promise.all([
      call('getWorkItem', { path }),
      call('listWorkItemEvents', { path }),
    ]);
    // Refused as it is: to do it again to the same item would be refused again.
    if (now.version === item.version) throw error;
    return { item: now, message: error.message, by: isMore ? undefined : list.at(-1)?.actorName };
  }
}

/** The request that stores other data of an item as seen. */
export function saveRequest(
  { queueId = 0, id = 0, version = 0 }: Item,
  json: Readonly<Record<string, unknown>>,
): Request {
  const path = { id: queueId, workItemId: id };
  return requestFor('updateWorkItem', { path, body: { id, queueId, version, json: { ...json } } });
}

/**
 * Stores the data of an item.
 * @returns the present item when others have changed it meanwhile: then nothing is stored
 */
export async function saveData(
  item: Item,
  json: Readonly<Record<string, unknown>>,
): Promise<Item | undefined> {
  try {
    await carryOut([saveRequest(item, json)]);
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'VERSION_CONFLICT') throw error;
    return call('getWorkItem', { path: { id: item.queueId ?? 0, workItemId: item.id ?? 0 } });
  }
}
