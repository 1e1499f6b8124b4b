import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { comparedItems, replaceAll } from '../duplicates/compare.ts';
import { join, raw, sql, type Db, type Sql } from '../engine/db.ts';
import { Refusal, shownProblems, type ErrorDetail } from '../engine/errors.ts';
import { eraseAnswers } from '../engine/idempotency.ts';
import { authorOf, type Author, type Context, type PlainOperation } from '../engine/operation.ts';
import { bytesBefore, portionBytes, rowsAtOnce } from '../engine/portions.ts';
import { recordOfAccess, recordOfTenant } from '../journal/journal.ts';
import {
  holdQueuesOfModel,
  lockOutWritersOf,
  refuseLostNames,
  takeModel,
  type ModelledQueue,
} from '../queues/of-model.ts';
import { forgetSums } from '../batches/adding.ts';
import { followModel } from '../queues/deleted.ts';
import { readDefinition } from '../queues/find.ts';
import { readModel, type StoredAttribute, type StoredModel } from '../records/model.ts';
import { inPresentNames, recordProblems, type ModelNames } from '../records/record.ts';
import { isMarked, isSealed } from '../records/sensitive.rules.ts';
import { recordBytes, recordText, type VersionedRecord } from '../records/stored.ts';
import { refuseStrangers } from './archive.ts';
import { refuseNamesake, versionOf, withIds } from './models.ts';
import { decideModelChange, type ModelChange, type Risk } from './rules.ts';

export const updateWorkItemModel: PlainOperation<'updateWorkItemModel'> = async (context, { path, body }) => {
  const model = await readModel(context, path.id, { hold: 'changed' });
  await refuseStrangers(context, model);
  const change = decideModelChange(model, body);
  await allowMarks(context, change);
  const queues = await holdQueuesOfModel(context.db, model.id);
  refuseLostNames(queues, change.attributes);
  refuseUnsealed(queues, model, change);
  const nonconforming = await findNonconforming(context.db, idsOf(queues), aimOf(model, change));
  if (body.dryRun) return answer(queues, { model: preview(model, change), nonconforming, dryRun: true });
  if (change.isNone) return answer(queues, { model, nonconforming, dryRun: false });
  refuseNonconforming(model.id, nonconforming);
  if (change.risks.length > 0) await refuseLateNonconforming(context, queues, model, change);
  await save(context, queues, model, change);
  return answer(queues, { model: await readModel(context, model.id), nonconforming, dryRun: false });
};

/** @throws Refusal FORBIDDEN for a caller who removes a mark without the permission, STATUS_CONFLICT where nothing can be encrypted */
async function allowMarks({ db, actor, now, vault }: Context, { marked, unmarked }: ModelChange) {
  if (unmarked.length > 0 && !actor.permissions.has('revealSensitive'))
    throw new Refusal(
      'FORBIDDEN',
      `To take the sensitivity of ${unmarked.join(', ')} away shows its values to all: that needs the permission revealSensitive.`,
    );
  if (marked.length > 0) await vault.ensureSealer(db, actor.tenantId, now);
}

/** Erases small data with values of newly sensitive attributes at once: the former model has no writers any more. */
async function forgetPlain(
  { db, actor }: Context,
  queues: readonly ModelledQueue[],
  names: readonly string[],
): Promise<void> {
  await eraseAnswers(db, actor.tenantId, { areSealed: false });
  for (const { id } of queues) await forgetSums(db, id, names);
}

/** Replaces unique keys by ones that reveal nothing of encrypted values, while nobody writes. */
async function replaceKeys(context: Context, queues: readonly ModelledQueue[]): Promise<void> {
  const { db } = context;
  for (const { id } of queues) {
    const queue = await readDefinition(context, id);
    if (!queue?.disallowDuplicate) continue;
    await lockOutWritersOf(db, [{ id }]);
    await replaceAll(db, queue, await comparedItems(db, queue));
  }
}

/** @throws Refusal when a sensitive attribute would be removed from the model before all of its values are sealed */
function refuseUnsealed(
  queues: readonly ModelledQueue[],
  model: StoredModel,
  { attributes }: ModelChange,
): void {
  const gone = model.attributes.find((one) => isMarked(one) && !attributes.some(({ id }) => id === one.id));
  const queue = queues.find(({ isReordering }) => isReordering);
  if (!gone || !queue) return;
  throw new Refusal(
    'STATUS_CONFLICT',
    `The items of queue ${queue.id} are being brought to a change of it or of its model, and some may still have values of ${gone.name} ` +
      'that are not encrypted. Take the attribute away when that is done.',
    { retryAfter: 5 },
  );
}

function idsOf(queues: readonly ModelledQueue[]): Id[] {
  return queues.map(({ id }) => id);
}

/** The model that items will have to fit, and the risks that some do not. */
function aimOf(model: StoredModel, { attributes, risks }: ModelChange) {
  const version = model.version + 1;
  return { model: { attributes, modelVersion: version, namesSince: version }, risks };
}

/** The model as it would be after the change. */
function preview(model: StoredModel, { name, attributes, isNone }: ModelChange): Schemas['WorkItemModel'] {
  return isNone ? model : { ...model, name, attributes: [...attributes], version: model.version + 1 };
}

/** Checks again while no call writes items, by any version of the model. */
async function refuseLateNonconforming(
  { db }: Context,
  queues: readonly ModelledQueue[],
  model: StoredModel,
  change: ModelChange,
): Promise<void> {
  await lockOutWritersOf(db, queues);
  refuseNonconforming(model.id, await findNonconforming(db, idsOf(queues), aimOf(model, change)));
}

const countedItems = 10_000;

function refuseNonconforming(modelId: Id, { count, details }: Nonconforming): void {
  const [first] = details;
  if (!first) return;
  const others =
    count === 1 ? '' : `; ${count === countedItems ? 'at least ' : ''}${count} open items in all`;
  throw new Refusal(
    'IN_USE',
    `Item ${first.itemId} of queue ${first.queueId} would not fit model ${modelId} any more: ${first.field} ${first.message}${others}. ` +
      'Finish, correct or delete them first.',
    { details: [...details] },
  );
}

async function save(
  context: Context,
  queues: readonly ModelledQueue[],
  model: StoredModel,
  change: ModelChange,
): Promise<void> {
  const { db } = context;
  const { name, isRenaming } = change;
  const attributes = await withIds(context, change.attributes);
  const modelVersion = model.version + 1;
  if (change.marked.length > 0) await lockOutWritersOf(db, queues);
  await updateModel(db, model.id, { name, attributes }, authorOf(context));
  if (name !== model.name) await refuseNamesake(context, name);
  const isRemarking = change.marked.length + change.unmarked.length > 0;
  for (const queue of queues) {
    const namesSince = isRenaming ? modelVersion : queue.namesSince;
    const names: ModelNames = { attributes, modelVersion, namesSince };
    await takeModel(context, queue, {
      model: names,
      isReordering: isRemarking || isRenaming || change.risks.length > 0,
      isMarking: change.marked.length > 0,
    });
  }
  await followModel(db, model.id, { attributes, modelVersion }, isRemarking);
  if (isRemarking) await replaceKeys(context, queues);
  if (change.marked.length > 0) await forgetPlain(context, queues, change.marked);
  const changes = { workItemModelId: model.id, version: modelVersion, name, attributes };
  // Removing a mark shows values to everybody: it is recorded with its origin.
  const record = change.unmarked.length > 0 ? recordOfAccess : recordOfTenant;
  await record(context, { operation: 'updateWorkItemModel', changes });
}

function answer(
  queues: readonly ModelledQueue[],
  {
    model,
    nonconforming,
    dryRun,
  }: { model: Schemas['WorkItemModel']; nonconforming: Nonconforming; dryRun: boolean },
): Schemas['WorkItemModelChange'] {
  return {
    dryRun,
    workItemModel: model,
    queues: queues.map(({ id, name, openItems }) => ({ id, name, openItems })),
    invalidItems: nonconforming.count,
    invalid: [...nonconforming.details],
  };
}

/** Changes a model, one version up. */
async function updateModel(
  db: Db,
  id: Id,
  { name, attributes }: { name: string; attributes: readonly StoredAttribute[] },
  { actorId, now }: Author,
): Promise<void> {
  await db.rows(sql`
    with m as (
      update work_item_models set name = ${name}, attributes = ${stringifyJson(attributes)}, version = version + 1,
        updated_by = ${actorId}, updated_on = ${now}
      where id = ${id} returning *)
    ${versionOf(raw('m'))}`);
}

/** Open items that would not fit a model: their number, up to a limit, and the problems of the first of them. */
interface Nonconforming {
  readonly count: number;
  readonly details: readonly ErrorDetail[];
}

/** Searches the open items of queues for those that would not fit another version of their model. */
async function findNonconforming(
  db: Db,
  queueIds: readonly Id[],
  { model, risks }: { model: ModelNames; risks: readonly Risk[] },
): Promise<Nonconforming> {
  let count = 0;
  const details: ErrorDetail[] = [];
  if (risks.length === 0) return { count, details };
  for (const queueId of queueIds) {
    for await (const { id, json, modelVersion } of itemsAtRisk(db, queueId, risks)) {
      const [problem] = recordProblems(model.attributes, inPresentNames(model, json, modelVersion), isSealed);
      if (!problem) continue;
      if (details.length < shownProblems) details.push({ queueId, itemId: id, ...problem });
      count += 1;
      if (count === countedItems) return { count, details };
    }
  }
  return { count, details };
}

async function* itemsAtRisk(db: Db, queueId: Id, risks: readonly Risk[]) {
  let after: Id = 0;
  for (;;) {
    const items = await selectItemsAtRisk(db, queueId, risks, { after, limit: rowsAtOnce });
    yield* items;
    const last = items.at(-1);
    if (!last) return;
    after = last.id;
  }
}

/** Open items at one of the risks, in the order of their ids: as many as may be held at once. */
function selectItemsAtRisk(
  db: Db,
  queueId: Id,
  risks: readonly Risk[],
  { after, limit }: { after: Id; limit: number },
): Promise<(VersionedRecord & { id: Id })[]> {
  return db.rows(sql`
    select id, json, "modelVersion" from (
      select i.id, d.json, coalesce(i.model_version, 0) as "modelVersion",
        ${bytesBefore(recordBytes, sql`i.id`)} as bytes_before
    from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
    where i.queue_id = ${queueId} and i.id > ${after} and i.status in ('NEW', 'IN_PROGRESS', 'DEFERRED')
      and (${join(risks.map(isAtRisk), ' or ')})
    order by i.id limit ${limit}) r
    where bytes_before < ${portionBytes} order by id`);
}

/** Whether the record has a value that would not be allowed, or lacks one that would be required. */
function isAtRisk({ before, reason }: Risk): Sql {
  if (!before) return sql`true`;
  const text = recordText(before);
  return reason === 'required' ? sql`${text} is null` : sql`${text} is not null`;
}
