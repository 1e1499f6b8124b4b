import type { Id } from '@millrace/api';
import { useCallback, useEffect, useRef, useState } from 'react';
import { onItems, type Changed } from '../live/effects.ts';
import { lookAgain, outdate, startOver, type Listing } from './queries.ts';
import { merged, nothingWaits, type Waiting } from './live-rules.ts';

const pauseMs = 1000;

/**
 * Keeps the rows of a list up to date in place. Rows that would come or go are only counted until somebody asks to see them, so that
 * nothing moves.
 */
export function useLiveList(queueId: Id, listing: Listing) {
  const [waiting, setWaiting] = useState<Waiting>(nothingWaits);
  const wanted = useRef(listing);
  const key = JSON.stringify(listing);
  useEffect(() => {
    wanted.current = JSON.parse(key) as Listing;
    setWaiting(nothingWaits);
  }, [key]);
  const show = useCallback(() => {
    setWaiting(nothingWaits);
    void startOver(queueId, wanted.current);
  }, [queueId]);
  useEffect(
    () =>
      gather(String(queueId), async (items) => {
        const seen = await lookAgain(queueId, wanted.current, items).catch(() => undefined);
        if (!seen) return;
        // Nothing moves where there is nothing.
        const isEmpty = seen.listed.size === 0;
        if (seen.selected === undefined && isEmpty) return show();
        setWaiting((now) => merged(now, seen));
        if (seen.selected === undefined || seen.touched.length > 0) outdate(queueId, wanted.current);
      }),
    [queueId, show],
  );
  return { waiting, show };
}

type Items = Exclude<Changed, 'values'>;

/** Hands over, once in a while, the changed items of a queue. */
function gather(queueId: string, look: (items: Changed) => Promise<void>): () => void {
  let touched: Items = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const handOver = () => {
    timer = undefined;
    const items = touched;
    touched = [];
    void look(items);
  };
  const stop = onItems(queueId, (items) => {
    if (items === 'values') return void look(items);
    touched = touched === 'many' || items === 'many' ? 'many' : [...new Set([...touched, ...items])];
    timer ??= setTimeout(handOver, pauseMs);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}
