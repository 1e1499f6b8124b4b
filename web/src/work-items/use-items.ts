import type { Schemas } from '@millrace/api';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import type { Compiled } from '../filters/compile.ts';
import { itemsQuery } from './queries.ts';
import { useLiveList } from './use-live-list.ts';

export type ItemList = ReturnType<typeof useItems>;

/** The items that a filter selects as far as they were read, and how to read on. */
export function useItems(
  queue: Schemas['Queue'],
  filter: Compiled | undefined,
  sort: string,
  fields: string[],
) {
  const order = { field: sort.replace(/^-/, ''), direction: sort.startsWith('-') ? 'desc' : 'asc' };
  const listing = { filter, sort: [order], fields };
  const found = useInfiniteQuery(itemsQuery(queue.id ?? 0, listing));
  const live = useLiveList(queue.id ?? 0, listing);
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = found;
  const isPartial = data?.pages.at(-1)?.page.isPartial === true;
  const goOn = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const canGoOn = hasNextPage && !isFetchingNextPage;
  const readOn = useCallback(() => (canGoOn && !isPartial ? goOn() : undefined), [canGoOn, isPartial, goOn]);
  return {
    items: useMemo(() => data?.pages.flatMap(({ list }) => list) ?? [], [data]),
    ...totalsOf(data?.pages ?? [], filter !== undefined),
    error: found.error,
    isReading: found.isPending,
    hasMore: hasNextPage,
    readOn,
    goOn,
    ...live,
  };
}

/** The numbers of items as far as known: the first page has them, and the last one says whether the search has stopped. */
function totalsOf(pages: readonly Schemas['WorkItemPage'][], isFiltered: boolean) {
  const first = pages[0]?.page;
  const last = pages.at(-1)?.page;
  return {
    total: first?.totalFilter ?? (isFiltered ? undefined : first?.total),
    all: first?.total,
    isEstimated: first?.isEstimated === true,
    lookedAt: last?.isPartial === true ? last.lookedAt : undefined,
  };
}
