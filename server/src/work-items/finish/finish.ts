import { stringifyJson, type Id, type Output, type Schemas } from '@millrace/api';
import { named, sql, type Db } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import { jsonLists } from '../../engine/json/write.ts';
import type { BatchContext, BatchOperation, QueueDefinition } from '../../engine/operation.ts';
import { inSlices, mapped, type Interruptible } from '../../engine/slices.ts';
import { recordEvents, type Event } from '../../journal/journal.ts';
import { forgedIn, sealedOutput } from '../../records/sealed.ts';
import { outputProblem, resultProblem, unknownItem, type Item, type Move } from '../item/rules.ts';
import { changeOf, save, saveTraces, type Change } from '../item/save.ts';
import { lockItems, saveLogTails } from '../item/sql.ts';
import { decideReport, type SentReport } from './rules.ts';

export const finishWorkItems: BatchOperation<'finishWorkItems'> = async (context, calls) => {
  const sent = calls.flatMap(({ actor, input }) =>
    input.body.results.map(({ id, ...report }) => ({ actorId: actor.id, id, report })),
  );
  const outcomes = await applyReports(context, sent, 'finishWorkItems');
  return calls.map(({ input }): Output<'finishWorkItems'> => {
    return { list: outcomes.splice(0, input.body.results.length).map(outcomeOf) };
  });
};

function outcomeOf(outcome: Outcome): Schemas['WorkItemOutcome'] {
  if (!('refusal' in outcome)) return { id: outcome.id, status: outcome.status, version: outcome.version };
  return { id: outcome.id, error: outcome.refusal.toJSON() };
}

/** A report on an item, and its sender. */
type Sent = SentReport & { readonly id: Id };

interface Refused {
  readonly id: Id;
  readonly refusal: Refusal;
}

/** The outcome of a report: the item as it is now, or the refusal. */
type Outcome = Pick<Item, 'id' | 'status' | 'version'> | Refused;

/** The outcome of each report. */
export async function applyReports(
  context: BatchContext,
  reports: readonly Sent[],
  operation: string,
): Promise<Outcome[]> {
  const forged = new Map(reports.flatMap((one) => [...forgeryIn(one)]));
  const sent = withSealedOutputs(
    context.queue,
    reports.filter((one) => !forged.has(one)),
  );
  const completed = await completeItems(context, sent, operation);
  const others = sent.filter(({ id }) => !completed.has(id));
  const outcomes = others.length > 0 ? await applyOthers(context, others, operation) : [];
  return reports.map((one) => {
    const { id } = one;
    return forged.get(one) ?? completed.get(id) ?? (outcomes.shift() as Outcome);
  });
}

/** The report with its refusal, where its output pretends to be encrypted. */
function forgeryIn(report: Sent): [Sent, Refused][] {
  const refusal = forgedIn(report.report.output);
  return refusal ? [[report, { id: report.id, refusal }]] : [];
}

function withSealedOutputs(queue: QueueDefinition, sent: readonly Sent[]): readonly Sent[] {
  if (!queue.sealer) return sent;
  return sent.map(({ report, ...of }) => ({
    ...of,
    report: { ...report, ...(report.output && { output: sealedOutput(queue, of.id, report.output) }) },
  }));
}

/** An item after its completion. */
interface Completed {
  readonly id: Id;
  readonly version: number;
  readonly status: 'COMPLETE';
  readonly startedOn: Date;
  readonly deviceId?: Id | undefined;
  readonly automationId?: Id | undefined;
  readonly batchId?: Id | undefined;
}

/**
 * Completes the items of reports that only state that the holder has done the work, as nearly all do: by one statement that compares holder
 * and version with the rows themselves. All other reports go the long way, which gives the reasons of refusals.
 * @returns the completed items, by their ids
 */
async function completeItems(
  context: BatchContext,
  sent: readonly Sent[],
  operation: string,
): Promise<ReadonlyMap<Id, Completed>> {
  const { db, queue, now } = context;
  const wanted = plainReports(sent);
  const completed = new Map<Id, Completed>();
  for await (const list of jsonLists([...wanted.values()], rowOf))
    for (const item of await updateItems(db, queue.id, list, now)) completed.set(item.id, item);
  const reports = [...completed.keys()].map((id) => wanted.get(id) as Sent);
  const changes = [...completed.values()].map((item, index) => {
    const { actorId } = reports[index] as Sent;
    const before = { ...item, status: 'IN_PROGRESS' } as const;
    return { before, after: { ...item, endedOn: now }, transition: 'finish', operation, actorId } as const;
  });
  await Promise.all([saveTraces(context, queue.id, changes), saveLogs(context, reports)]);
  return completed;
}

/** The reports that complete an item and otherwise change only notes, by its id; in the order in which items are locked everywhere. */
function plainReports(sent: readonly Sent[]): Map<Id, Sent> {
  const wanted = new Map(sent.filter(isPlain).map((report) => [report.id, report]));
  // Of several reports on an item, the second has to see the changes of the first.
  if (wanted.size < sent.length) {
    const seen = new Set<Id>();
    for (const { id } of sent) if (seen.size === seen.add(id).size) wanted.delete(id);
  }
  return new Map([...wanted].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function isPlain({ report: { status, result, output, tags } }: Sent): boolean {
  return status === 'COMPLETE' && !tags && !resultProblem(status, result) && !outputProblem(output);
}

function rowOf({ id, actorId, report: { version, output, comment, resultText } }: Sent) {
  return { id, version, actorId, output, comment, resultText };
}

function saveLogs({ db, queue, now }: BatchContext, sent: readonly Sent[]): Promise<void> {
  const logs = sent.map(({ id, report: { logTail } }) => ({ id, logTail }));
  return saveLogTails(db, queue.id, logs, now);
}

/** Lock, decide, save, record. */
async function applyOthers(
  context: BatchContext,
  sent: readonly Sent[],
  operation: string,
): Promise<Outcome[]> {
  const { db, queue } = context;
  const ids = sent.map(({ id }) => id);
  const decided = await inSlices(decide(context, sent, await lockItems(db, queue.id, ids)));
  const granted = decided.filter((report) => report.move !== undefined);
  const { evidence, neverHeld } = await sortLate(context, decided.filter(isLate));
  const lateEvents = await inSlices(mapped(evidence, lateEvent));
  await Promise.all([
    save(
      context,
      queue.id,
      granted.map((report) => changeBy(report, operation)),
    ),
    saveLogs(context, granted),
  ]);
  // The timeline is read in the order of the events: one report may have ended the attempt for which the other came too late.
  await recordEvents(context, queue.id, lateEvents);
  const fromOthers: ReadonlySet<Decided> = new Set<Decided>(neverHeld);
  return decided.map((report) =>
    fromOthers.has(report) ? { id: report.id, refusal: notHeld(queue, report.id) } : report.outcome,
  );
}

/** A report, its outcome, and its transition, if any. */
type Decided = Sent & { readonly outcome: Item | Refused } & (
    { readonly before: Item; readonly move: Move } | { readonly before?: Item; readonly move?: undefined }
  );

function decide(
  { queue, now }: BatchContext,
  sent: readonly Sent[],
  locked: readonly Item[],
): Interruptible<Decided[]> {
  const items = new Map(locked.map((item) => [item.id, item]));
  return mapped(sent, (report) => {
    const { id } = report;
    const before = items.get(id);
    if (!before) return { ...report, outcome: { id, refusal: unknownItem(queue, id) } };
    const verdict = decideReport(before, report, { queue, now, chance: Math.random() });
    if (verdict === 'repeated') return { ...report, outcome: before };
    if (verdict instanceof Refusal) return { ...report, before, outcome: { id, refusal: verdict } };
    // A second report in the same call sees the changes of the first.
    items.set(id, verdict.item);
    return { ...report, before, move: verdict, outcome: verdict.item };
  });
}

function isLate(report: Decided): report is Decided & { readonly before: Item } {
  const { outcome } = report;
  return 'refusal' in outcome && outcome.refusal.code === 'LATE_REPORT';
}

function changeBy({ actorId, before, move }: Extract<Decided, { move: Move }>, operation: string): Change {
  const change = { ...changeOf(before, move), operation, actorId };
  const { failureKind, retryCount, notBefore } = move.item;
  if (move.transition === 'retry')
    return { ...change, changes: { failureKind: 'SYSTEM', retryCount, notBefore } };
  return failureKind === undefined ? change : { ...change, changes: { failureKind, retryCount } };
}

/** The refusal reveals nothing of the item, on which somebody else may be working. */
export function notHeld(queue: QueueDefinition, itemId: Id): Refusal {
  return new Refusal(
    'STATUS_CONFLICT',
    `You do not hold item ${itemId} of queue ${queue.id}; claim it first.`,
  );
}

/** A late report, and the item as it is now. */
interface Late extends SentReport {
  readonly id: Id;
  readonly before: Item;
}

/** Late reports to be recorded, and those of users who never held the item. */
interface Sorted<L> {
  readonly evidence: readonly L[];
  readonly neverHeld: readonly L[];
}

/**
 * Sorts out the late reports that are evidence: those of a user who held the item at that version or before, once for each version and
 * status. Otherwise any user with the right to report could fill the timeline of any item.
 */
async function sortLate<L extends Late>({ db, queue }: BatchContext, late: readonly L[]): Promise<Sorted<L>> {
  if (late.length === 0) return { evidence: [], neverHeld: [] };
  const asked = late.map(({ id, actorId, report: { version, status } }) => {
    return { itemId: id, actorId, version, status };
  });
  const known = await selectKnown(db, queue.id, asked);
  const seen = new Set<string>();
  const neverHeld: L[] = [];
  const evidence = late.filter((lateReport, index) => {
    const { id, actorId, before, report } = lateReport;
    const isHolder = known[index]?.held === true && report.version >= 1 && report.version <= before.version;
    if (!isHolder) neverHeld.push(lateReport);
    const key = `${id} ${actorId} ${report.version} ${report.status}`;
    const isNew = isHolder && known[index]?.recorded === false && !seen.has(key);
    seen.add(key);
    return isNew;
  });
  return { evidence, neverHeld };
}

// Enough to find out what was done. A holder that reports in time may send all of it.
const keptOutput = 16_384;

/** The event of a former holder's report: evidence for the person who has to find out what really happened. */
function lateEvent({ id, actorId, report }: SentReport & { readonly id: Id }): Event {
  const { logTail: _, output, ...members } = report;
  const text = output === undefined ? '' : stringifyJson(output);
  const isCut = text.length > keptOutput;
  const cut = `; of the ${text.length} characters of its output the first ${keptOutput} are kept`;
  return {
    itemId: id,
    operation: 'lateReport',
    actorId,
    reason: `the reporter did not hold the item${isCut ? cut : ''}`,
    changes: { ...members, ...(isCut ? { outputBeginning: beginning(text) } : { output }) },
  };
}

/** The beginning of the output, without half a character at its end. */
function beginning(text: string): string {
  return text.slice(0, keptOutput).replace(/[\uD800-\uDBFF]$/u, '');
}

/** A report that did not come from the holder of the item. */
interface LateReport {
  readonly itemId: Id;
  readonly actorId: Id;
  readonly version: number;
  readonly status: string;
}

/** The facts about a late report in the timeline. */
interface Known {
  /** Whether the reporter was once granted the item. */
  readonly held: boolean;
  /** Whether the same report is recorded already. */
  readonly recorded: boolean;
}

/** Looks late reports up in the timelines of their items, in the same order; each by itself (`offset 0`). */
function selectKnown(db: Db, queueId: Id, late: readonly LateReport[]): Promise<Known[]> {
  const statement = sql`
    select
      exists (select from events e where e.queue_id = ${queueId} and e.item_id = l.item_id and e.actor_id = l.actor_id
        and e.to_status = 'IN_PROGRESS' and e.from_status <> 'IN_PROGRESS' offset 0) as held,
      exists (select from events e where e.queue_id = ${queueId} and e.item_id = l.item_id and e.actor_id = l.actor_id
        and e.operation = 'lateReport' and e.changes ->> 'version' = l.version::text
        and e.changes ->> 'status' = l.status offset 0) as recorded
    from unnest(${late.map(({ itemId }) => itemId)}::bigint[], ${late.map(({ actorId }) => actorId)}::bigint[],
      ${late.map(({ version }) => version)}::int[], ${late.map(({ status }) => status)}::text[])
      with ordinality as l (item_id, actor_id, version, status, turn)
    order by l.turn`;
  return db.rows<Known>(named('selectKnown', statement));
}

// Rows are joined by their place, for the reason given in item/save.ts, and are not locked before. Their conditions therefore stand in the
// update itself: for a row that is changed meanwhile these are checked again, whereas not every release of PostgreSQL checks again whether
// such a row is still in its place.
function updateItems(db: Db, queueId: Id, list: string, now: Date): Promise<Completed[]> {
  const statement = sql`
    with n as materialized (
      select found.place, r.* from json_to_recordset(${list}::json) as r
        (id bigint, version int, "actorId" bigint, output json, comment text, "resultText" text)
      cross join lateral (
        select ctid as place from work_items w where w.queue_id = ${queueId} and w.id = r.id offset 0) found)
    update work_items i set status = 'COMPLETE', version = i.version + 1, result = 'SUCCESS', ended_on = ${now},
      lease_expires_on = null, point_of_no_return_on = null, cancel_requested_on = null, cancel_requested_by = null,
      cancel_reason = null, not_before = null, lapse_count = null, error = null,
      reported_by = n."actorId", reported_version = n.version, reported_status = 'COMPLETE',
      output = coalesce(n.output, i.output), comment = coalesce(n.comment, i.comment),
      result_text = coalesce(n."resultText", i.result_text), updated_by = n."actorId", updated_on = ${now}
    from n where i.ctid = n.place
      and i.status || '' = 'IN_PROGRESS' and i.version = n.version and i.claimed_by = n."actorId"
    returning i.id, i.version, i.status, i.started_on as "startedOn", i.device_id as "deviceId",
      i.automation_id as "automationId", i.batch_id as "batchId"`;
  return db.rows<Completed>(named('completeItems', statement));
}
