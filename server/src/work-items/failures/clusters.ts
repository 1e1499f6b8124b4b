import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { raw, sql, type Db } from '../../engine/db.ts';
import type { Attribute, PlainOperation } from '../../engine/operation.ts';
import { askedTogether } from '../../engine/portions.ts';
import { sensitiveAttributes } from '../../queues/sensitive.ts';
import { selectVisible } from '../../queues/visible.ts';
import { withoutValues } from '../../records/sensitive.rules.ts';

const usualClusters = 100;

/** Each queue has a statement of its own: it may be on another machine than the next one. */
export const listFailureClusters: PlainOperation<'listFailureClusters'> = async (context, { query }) => {
  const { db, actor, now } = context;
  const queueIds = query.queueId === undefined ? undefined : [query.queueId];
  const visible = await selectVisible(db, actor, { queueIds, limit: mostQueues });
  const queues = visible.map(({ id: queueId, name: queueName }) => ({ queueId, queueName }));
  const shares = (await askedTogether(queues, (queue) => sharesOf(db, queue, now))).flat();
  const treated = [...byQueue(shares)];
  const treatments = (
    await askedTogether(treated, ([queueId, causes]) => treatmentsOf(db, queueId, causes))
  ).flat();
  const clusters = clustersOf(shares, treatments, now);
  const shown = clusters.slice(0, query.limit ?? usualClusters);
  const details = await detailsOf(db, shown);
  const list = shown.map((cluster): Cluster => {
    const found = details.filter((detail) => keyOf(detail) === keyOf(cluster));
    return { ...cluster, devices: byDevice(found.flatMap((one) => one.devices)), samples: samplesOf(found) };
  });
  return { total: clusters.length, list };
};

type Named = Pick<Share, 'queueId' | 'queueName'>;

const mostQueues = 1000;

function byQueue(shares: readonly Share[]): Map<Id, Share[]> {
  const queues = new Map<Id, Share[]>();
  for (const share of shares) queues.set(share.queueId, [...(queues.get(share.queueId) ?? []), share]);
  return queues;
}

// With more causes than these it is of no use to tell them apart: their errors have too little in common.
const mostCauses = 1000;
const shownCauses = 100;
const rememberedMs = 7 * 86_400_000;
const recentRemedies = 200;

/** The largest clusters of a queue, and those that were restarted recently. */
async function sharesOf(db: Db, queue: Named, now: Date): Promise<Share[]> {
  const rows = await selectShares(db, queue.queueId, new Date(now.getTime() - rememberedMs));
  const largest = rows.toSorted((one, other) => other.found - one.found);
  const [open, over] = [largest.filter(({ found }) => found > 0), largest.filter(({ found }) => found === 0)];
  return [...open.slice(0, shownCauses), ...over].map((row) => ({ ...queue, ...row }));
}

/** Goes from one cause to the next in the index, however many items each has, and counts each of them up to a limit. */
function selectShares(db: Db, queueId: Id, since: Date): Promise<Omit<Share, keyof Named>[]> {
  const failed = sql`w.queue_id = ${queueId} and w.status = 'FAILED'`;
  const next = sql`order by w.error_signature, w.failure_kind limit 1`;
  const ofCause = sql`${failed} and w.error_signature = c.signature and w.failure_kind = c.kind`;
  return db.rows(sql`
    with recursive cause (signature, kind) as (
      (select w.error_signature, w.failure_kind from work_items w where ${failed} and w.error_signature is not null ${next})
      union all
      select n.* from cause c cross join lateral (
        select w.error_signature, w.failure_kind from work_items w
        where ${failed} and (w.error_signature, w.failure_kind) > (c.signature, c.kind) ${next}) n),
    known as (
      (select signature, kind from cause limit ${mostCauses})
      union
      select r.error_signature, r.failure_kind from (
        select * from remedies where queue_id = ${queueId} order by id desc limit ${recentRemedies}) r
      where r.created_on > ${since})
    select c.signature, c.kind as "failureKind", f.found, s.ended_on as "firstSeenOn", e.ended_on as "lastSeenOn"
    from known c
    cross join lateral (select count(*)::int as found from (
      select from work_items w where ${ofCause} limit ${raw(String(countedItems + 1))}) w) f
    left join lateral (select w.ended_on from work_items w where ${ofCause} order by w.ended_on limit 1) s on true
    left join lateral (select w.ended_on from work_items w where ${ofCause} order by w.ended_on desc limit 1) e on true`);
}

const causesIn = (causes: readonly Cause[]) => {
  const list = causes.map(({ signature, failureKind }) => ({ signature, failureKind }));
  return sql`json_to_recordset(${stringifyJson(list)}::json) as c (signature text, "failureKind" text)`;
};

/** The notes and restarts in a queue, for each of these causes. */
async function treatmentsOf(db: Db, queueId: Id, causes: readonly Cause[]): Promise<Treatment[]> {
  const [notes, remedies] = await Promise.all([
    selectNotes(db, queueId, causes),
    selectRemedies(db, queueId, causes),
  ]);
  const names = await selectNames(db, [...notes.map((one) => one.by), ...remedies.map((one) => one.by)]);
  return [
    ...notes.map(({ signature, failureKind, note, by, on }): Treatment => {
      const byName = names.get(by);
      const shown = {
        queueId,
        note,
        updatedBy: by,
        ...(byName && { updatedByName: byName }),
        updatedOn: isoOf(on),
      };
      return { signature, failureKind, notes: [shown], remedies: [] };
    }),
    ...remedies.map(({ signature, failureKind, by, on, found, ...remedy }): Treatment => {
      const byName = names.get(by);
      const who = { by, ...(byName && { byName }), on: isoOf(on) };
      const shown = { queueId, ...remedy, ...who, isMore: found > countedItems };
      return { signature, failureKind, notes: [], remedies: [shown] };
    }),
  ];
}

const isoOf = (time: Date) => time.toISOString();

type Noted = Cause & { readonly note: string; readonly by: Id; readonly on: Date };

function selectNotes(db: Db, queueId: Id, causes: readonly Cause[]): Promise<Noted[]> {
  return db.rows(sql`
    select c.signature, c."failureKind", n.note, n.updated_by as by, n.updated_on as on
    from ${causesIn(causes)} cross join lateral (
      select * from failure_notes
      where queue_id = ${queueId} and error_signature = c.signature and failure_kind = c."failureKind" offset 0) n`);
}

const shownRemedies = 3;

type Remedied = Cause &
  Pick<
    Schemas['Remedy'],
    'batchId' | 'restarted' | 'done' | 'waiting' | 'failedAgain' | 'failedOtherwise'
  > & { readonly by: Id; readonly on: Date; readonly found: number };

/** The newest remedies of each cause, with the outcome of their items. */
function selectRemedies(db: Db, queueId: Id, causes: readonly Cause[]): Promise<Remedied[]> {
  return db.rows(sql`
    select c.signature, c."failureKind", r.batch_id as "batchId", r.restarted, r.created_by as by, r.created_on as on, o.*
    from ${causesIn(causes)} cross join lateral (
      select * from remedies
      where queue_id = ${queueId} and error_signature = c.signature and failure_kind = c."failureKind"
      order by id desc limit ${shownRemedies}) r
    cross join lateral (
      select count(*)::int as found, (count(*) filter (where status = 'COMPLETE'))::int as done,
        (count(*) filter (where status in ('NEW', 'IN_PROGRESS')))::int as waiting,
        (count(*) filter (where status = 'FAILED' and error_signature = r.error_signature))::int as "failedAgain",
        (count(*) filter (where status = 'FAILED' and error_signature is distinct from r.error_signature))::int as "failedOtherwise"
      from (
        select status, error_signature from work_items where queue_id = ${queueId} and remedy_id = r.id
        limit ${raw(String(countedItems + 1))}) w) o`);
}

async function selectNames(db: Db, ids: readonly Id[]): Promise<Map<Id, string>> {
  const rows = await db.rows<{ id: Id; username: string }>(sql`
    select id, username from users where id = any(${[...new Set(ids)]}::bigint[])`);
  return new Map(rows.map(({ id, username }) => [id, username]));
}

interface Detail extends Cause {
  readonly queueId: Id;
  readonly devices: readonly { deviceId: Id; hostName?: string | null; count: number }[];
  readonly samples: readonly { id: Id; error: string | null }[];
}

async function detailsOf(
  db: Db,
  clusters: readonly Pick<Cluster, keyof Cause | 'queues'>[],
): Promise<Detail[]> {
  const causes = new Map<Id, Cause[]>();
  for (const { queues, ...cause } of clusters)
    for (const { queueId } of queues) causes.set(queueId, [...(causes.get(queueId) ?? []), cause]);
  const attributes = await sensitiveAttributes(db, [...causes.keys()]);
  const found = await askedTogether([...causes], async ([queueId, ofQueue]) => {
    const shownIn = ({ error, ...one }: Detail['samples'][number]) => ({
      ...one,
      error: shownError(attributes.get(queueId), error),
    });
    const rows = await selectDetails(db, queueId, ofQueue);
    return rows.map((row) => ({ ...row, samples: row.samples.map(shownIn), queueId }));
  });
  const details = found.flat();
  const ids = details.flatMap(({ devices }) => devices.map(({ deviceId }) => deviceId));
  const hosts = await selectHosts(db, ids);
  return details.map((detail) => ({
    ...detail,
    devices: detail.devices.map((device) => ({
      ...device,
      hostName: hosts.get(String(device.deviceId)) ?? null,
    })),
  }));
}

const shownError = (attributes: readonly Attribute[] = [], error: string | null) =>
  error === null ? null : withoutValues(attributes, error);

const newestItems = 1000;
const shownSamples = 3;
const sampleCharacters = 1000;

/** The devices of the newest items of each cause, and some of the items. */
function selectDetails(db: Db, queueId: Id, causes: readonly Cause[]): Promise<Omit<Detail, 'queueId'>[]> {
  const newest = sql`
    from work_items w where w.queue_id = ${queueId} and w.status = 'FAILED' and w.error_signature = c.signature
      and w.failure_kind = c."failureKind" order by w.ended_on desc, w.id desc`;
  return db.rows(sql`
    select c.signature, c."failureKind",
      (select coalesce(json_agg(json_build_object('deviceId', d.device_id, 'count', d.count)), '[]') from (
        select w.device_id, count(*)::int as count from (select w.device_id ${newest} limit ${newestItems}) w
        where w.device_id is not null group by w.device_id) d) as devices,
      (select coalesce(json_agg(json_build_object('id', s.id, 'error', s.error)), '[]') from (
        select w.id, left(w.error, ${sampleCharacters}) as error ${newest} limit ${shownSamples}) s) as samples
    from ${causesIn(causes)}`);
}

async function selectHosts(db: Db, ids: readonly Id[]): Promise<Map<string, string>> {
  const rows = await db.rows<{ id: Id; hostName: string }>(sql`
    select id, host_name as "hostName" from devices where id = any(${[...new Set(ids)]}::bigint[])`);
  return new Map(rows.map(({ id, hostName }) => [String(id), hostName]));
}

function samplesOf(details: readonly Detail[]): Cluster['samples'] {
  return details.flatMap(({ queueId, samples }) =>
    samples.map(({ id, error }) => ({ queueId, id, ...(error !== null && { error }) })),
  );
}

type Cluster = Schemas['FailureCluster'];

/** The identity of a cluster. */
export type Cause = Pick<Cluster, 'signature' | 'failureKind'>;

/** The items of a cluster in one queue. */
interface Share extends Cause {
  readonly queueId: Id;
  readonly queueName: string;
  /** The number of items; one more than the limit where there are more. */
  readonly found: number;
  readonly firstSeenOn?: Date | null;
  readonly lastSeenOn?: Date | null;
}

/** The notes and remedies of people for a cluster in a queue. */
interface Treatment extends Cause {
  readonly notes: readonly Schemas['FailureNote'][];
  readonly remedies: readonly Schemas['Remedy'][];
}

/** Items of a cluster in a queue, and those of a remedy, are counted up to this number. */
const countedItems = 10_000;

const dayMs = 86_400_000;

/** A text that is unique to the cause: kinds have no spaces. */
export const keyOf = ({ signature, failureKind }: Cause) => `${failureKind} ${signature}`;

type Summary = Omit<Cluster, 'devices' | 'samples'>;

/** The clusters over all queues: those in doubt first, then new ones, then the largest. */
function clustersOf(shares: readonly Share[], treatments: readonly Treatment[], now: Date): Summary[] {
  const treated = new Map<string, Treatment[]>();
  for (const one of treatments) treated.set(keyOf(one), [...(treated.get(keyOf(one)) ?? []), one]);
  const parts = new Map<string, Share[]>();
  for (const one of shares) parts.set(keyOf(one), [...(parts.get(keyOf(one)) ?? []), one]);
  return [...parts]
    .map(([key, ofCluster]) => summaryOf(ofCluster, treated.get(key) ?? [], now))
    .toSorted(
      (one, other) =>
        rankOf(one) - rankOf(other) || other.count - one.count || compare(keyOf(one), keyOf(other)),
    );
}

const compare = (one: string, other: string) => (one < other ? -1 : 1);

/** The rank of a cluster: in doubt, new, other, and without items. */
function rankOf({ failureKind, isNew, count }: Summary): number {
  if (count === 0) return 3;
  if (failureKind === 'IN_DOUBT') return 0;
  return isNew ? 1 : 2;
}

function summaryOf(shares: readonly Share[], treatments: readonly Treatment[], now: Date): Summary {
  const { signature, failureKind } = shares[0] as Share;
  const queues = shares
    .filter(({ found }) => found > 0)
    .map(({ queueId, queueName, found }) => ({ queueId, queueName, ...counted(found) }))
    .toSorted((one, other) => other.count - one.count);
  const notes = treatments
    .flatMap((one) => one.notes)
    .toSorted((one, other) => later(one.updatedOn, other.updatedOn));
  const remedies = treatments
    .flatMap((one) => one.remedies)
    .toSorted((one, other) => later(one.on, other.on));
  const first = inOrder(shares.map(({ firstSeenOn }) => firstSeenOn)).at(0);
  const last = inOrder(shares.map(({ lastSeenOn }) => lastSeenOn)).at(-1);
  const isYoung = first !== undefined && now.getTime() - first.getTime() < dayMs;
  return {
    signature,
    failureKind,
    count: queues.reduce((sum, { count }) => sum + count, 0),
    isMore: queues.some(({ isMore }) => isMore),
    isNew: isYoung && notes.length === 0 && remedies.length === 0,
    ...(first && { firstSeenOn: first.toISOString() }),
    ...(last && { lastSeenOn: last.toISOString() }),
    queues,
    notes,
    remedies,
  };
}

/** A number of items that was found by counting up to one more than the limit. */
function counted(found: number): { count: number; isMore: boolean } {
  return { count: Math.min(found, countedItems), isMore: found > countedItems };
}

const later = (one: string, other: string) => new Date(other).getTime() - new Date(one).getTime();

function inOrder(times: readonly (Date | null | undefined)[]): Date[] {
  return times
    .filter((time) => time instanceof Date)
    .toSorted((one, other) => one.getTime() - other.getTime());
}

/** Number of items by device, most first. */
function byDevice(
  parts: readonly { readonly deviceId: Id; readonly hostName?: string | null; readonly count: number }[],
): Cluster['devices'] {
  const devices = new Map<string, Cluster['devices'][number]>();
  for (const { deviceId, hostName, count } of parts) {
    const known = devices.get(String(deviceId));
    devices.set(String(deviceId), {
      deviceId,
      ...(hostName && { hostName }),
      count: count + (known?.count ?? 0),
    });
  }
  return [...devices.values()].toSorted((one, other) => other.count - one.count);
}
