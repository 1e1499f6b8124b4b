import type { Totals } from '../journal/counters.ts';

// A mean over fewer items says little: a single long one would decide.
const enough = 10;

/**
 * When the items that can be claimed and those in progress will be done, as the forecast of a queue has it where nothing comes due: worked
 * off at a steady pace, by as many at once as now, or as on average lately if that is more. Undefined where there are none, or too few were
 * finished lately to tell. Needs the counters only.
 */
export function expectedEnd(totals: Totals, now: Date, recentMinutes: number): Date | undefined {
  const { counts, inBackOff, finishedComplete, finishedFailed, handlingMilliseconds } = totals;
  const [ready, running] = [Math.max(0, counts.NEW - inBackOff), counts.IN_PROGRESS];
  const finished = finishedComplete + finishedFailed;
  if (ready + running === 0 || finished < enough) return undefined;
  const handling = Math.max(1, handlingMilliseconds / finished);
  const atOnce = Math.max(running === 0 ? 1 : running, handlingMilliseconds / (recentMinutes * 60_000));
  // Items in progress are half done on average.
  if (ready === 0) return new Date(now.getTime() + handling / 2);
  const behind = ready - Math.floor(atOnce - running);
  const wait = behind <= 0 ? 0 : ((behind - 0.5) * handling) / atOnce;
  return new Date(now.getTime() + wait + handling);
}
