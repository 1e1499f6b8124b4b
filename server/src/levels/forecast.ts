import { stringifyJson, type Schemas } from '@millrace/api';
import { sql, type Db } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import type { Job } from '../engine/job-loop.ts';
import type { QueueOperation } from '../engine/operation.ts';
import { postponedQueues } from '../engine/postponed.ts';
import { millrace, recordEvents } from '../journal/journal.ts';
import { forecastOf, selectSupply } from './facts.ts';
import { isPromise, levelColumns, levelTables, selectLevel, type StoredLevel, type Told } from './stored.ts';

export const getQueueForecast: QueueOperation<'getQueueForecast'> = async (context) => {
  const { db, queue } = context;
  const [[supply], stored] = [await selectSupply(db, [queue.id]), await selectLevel(db, queue.id)];
  if (!supply) throw new Refusal('NOT_FOUND', `There is no queue ${queue.id} any more.`);
  const isPromised = stored?.longestWaitMinutes !== undefined || stored?.dueTime !== undefined;
  return forecastOf(context, { supply, level: isPromised ? stored : undefined });
};

const pauseMs = 1000;
const secondsBetween = 60;
const postponed = postponedQueues('a service level could not be looked at, and is tried again later');

/** Checks the service level of each queue once a minute, stores the findings for lists, and records changes. */
export const watchQueueLevels: Job = {
  name: 'watchQueueLevels',
  run: async (context) => {
    // One queue in a transaction: so the feed never waits for longer than one check.
    const level = await lockNext(context.db, context.now);
    if (!level) return pauseMs;
    const { queueId } = level;
    await lookAt(context, level).catch((error: Error) => postponed.postpone(context, queueId, error));
    postponed.done(queueId);
    return 0;
  },
};

async function lookAt(context: JobContext, level: StoredLevel): Promise<void> {
  const [supply] = await selectSupply(context.db, [level.queueId]);
  if (supply) await look(context, level, await forecastOf(context, { supply, level }));
}

type JobContext = Parameters<Job['run']>[0];
type Forecast = Awaited<ReturnType<typeof forecastOf>>;

async function look(context: JobContext, level: StoredLevel, forecast: Forecast): Promise<void> {
  const { db, now } = context;
  const state = forecast.level?.state ?? 'KEPT';
  const told = tell(level, { state, isOpen: forecast.code !== 'DONE' }, now);
  await saveLook(db, level, { forecast, told, now });
  if (!told.event) return;
  const { sentence, expectedEndOn } = forecast;
  const changes = { ...forecast.level, state: told.state, expectedEndOn };
  await recordEvents(context, level.queueId, [
    { operation: told.event, actorId: millrace, reason: sentence, changes },
  ]);
}

interface Look {
  readonly forecast: Forecast;
  readonly told: ReturnType<typeof tell>;
  readonly now: Date;
}

async function saveLook(db: Db, { queueId, state, stateOn }: StoredLevel, { forecast, told, now }: Look) {
  const since = told.state === state ? stateOn : now;
  await db.rows(sql`
    update queue_levels set looked_on = ${now}, state = ${told.state}, state_on = ${since},
      calm_since = ${told.calmSince ?? null}, forecast = ${stringifyJson(forecast)}::json
    where queue_id = ${queueId}`);
}

/** The service level with the oldest check, at least a minute ago, locked; those that are being changed or checked are skipped. */
function lockNext(db: Db, now: Date): Promise<StoredLevel | undefined> {
  return db.row(sql`
    select ${levelColumns} from ${levelTables}
    where ${isPromise} and q.archived_on is null and l.queue_id <> all(${postponed.at(now)}::bigint[])
      and (l.looked_on is null or l.looked_on <= ${now}::timestamptz - make_interval(secs => ${secondsBetween}))
    order by l.looked_on nulls first limit 1 for update of l skip locked`);
}

/** The event to record. */
type LevelEvent = 'warnQueueLevel' | 'breakQueueLevel' | 'keepQueueLevel';

// A wavering service level is not reported again each minute.
const calmMs = 5 * 60_000;

/**
 * The state to report from now on: once at risk, once broken, and kept again after it has looked so for a while, or when nothing is open.
 */
export function tell(
  told: Told,
  seen: { readonly state: Schemas['LevelState']; readonly isOpen: boolean },
  now: Date,
): Told & { readonly event?: LevelEvent } {
  const { state } = seen;
  if (state === 'BROKEN') return told.state === 'BROKEN' ? { state } : { state, event: 'breakQueueLevel' };
  if (state === 'AT_RISK') {
    if (told.state === 'KEPT') return { state, event: 'warnQueueLevel' };
    return { state: told.state };
  }
  if (told.state === 'KEPT') return { state };
  const calmSince = told.calmSince ?? now;
  const isCalm = !seen.isOpen || now.getTime() - calmSince.getTime() >= calmMs;
  return isCalm ? { state, event: 'keepQueueLevel' } : { state: told.state, calmSince };
}
