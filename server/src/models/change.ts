import type { Id, Schemas } from '@millrace/api';
import { Refusal } from '../errors.ts';
import { insertTenantEvents } from '../events/sql.ts';
import type { Context, PlainOperation } from '../operation.ts';
import {
  holdQueuesOfModel,
  lockOutWritersOf,
  refuseLostNames,
  takeModel,
  type ModelledQueue,
} from '../queues/of-model.ts';
import { findMisfits, type Misfits } from '../work-items/misfits.ts';
import { decideModelChange, type ModelChange } from './change.rules.ts';
import { readModel } from './find.ts';
import type { ModelNames } from './names.ts';
import { withIds } from './operations.ts';
import { refuseStrangers } from './owners.ts';
import { updateModel, type StoredModel } from './sql.ts';

export const updateWorkItemModel: PlainOperation<'updateWorkItemModel'> = async (context, { path, body }) => {
  const model = await readModel(context, path.id, 'changed');
  await refuseStrangers(context, model);
  const change = decideModelChange(model, body);
  const queues = await holdQueuesOfModel(context.db, model.id);
  refuseLostNames(queues, change.attributes);
  const misfits = await findMisfits(context.db, idsOf(queues), aimOf(model, change));
  if (body.dryRun) return answer(queues, { model: preview(model, change), misfits, dryRun: true });
  if (change.isNone) return answer(queues, { model, misfits, dryRun: false });
  refuseMisfits(model.id, misfits);
  if (change.doubtful.length > 0) await refuseLateMisfits(context, queues, model, change);
  await save(context, queues, model, change);
  return answer(queues, { model: await readModel(context, model.id), misfits, dryRun: false });
};

function idsOf(queues: readonly ModelledQueue[]): Id[] {
  return queues.map(({ id }) => id);
}

/** What items will have to fit, and why some may not. */
function aimOf(model: StoredModel, { attributes, doubtful }: ModelChange) {
  const version = model.version + 1;
  return { model: { attributes, modelVersion: version, namesSince: version }, doubts: doubtful };
}

/** The model as the change would make it. */
function preview(model: StoredModel, { name, attributes, isNone }: ModelChange): Schemas['WorkItemModel'] {
  return isNone ? model : { ...model, name, attributes: [...attributes], version: model.version + 1 };
}

/** Looks again when nobody writes items any more, by whatever version of the model. */
async function refuseLateMisfits(
  { db }: Context,
  queues: readonly ModelledQueue[],
  model: StoredModel,
  change: ModelChange,
): Promise<void> {
  await lockOutWritersOf(db, queues);
  refuseMisfits(model.id, await findMisfits(db, idsOf(queues), aimOf(model, change)));
}

function refuseMisfits(modelId: Id, { count, details }: Misfits): void {
  const [first] = details;
  if (!first) return;
  const others = count === 1 ? '' : `; ${count === 10_000 ? 'at least ' : ''}${count} open items in all`;
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
  const { db, actor, now } = context;
  const { name, isRenaming } = change;
  const attributes = await withIds(context, change.attributes);
  const modelVersion = model.version + 1;
  await updateModel(db, model.id, { name, attributes }, { actorId: actor.id, now });
  for (const queue of queues) {
    const namesSince = isRenaming ? modelVersion : queue.namesSince;
    const names: ModelNames = { attributes, modelVersion, namesSince };
    await takeModel(context, queue, { model: names, isRekeying: isRenaming || change.doubtful.length > 0 });
  }
  const changes = { workItemModelId: model.id, version: modelVersion, name, attributes };
  const event = { operation: 'updateWorkItemModel', actorId: actor.id, changes };
  await insertTenantEvents(db, actor.tenantId, [event], now);
}

function answer(
  queues: readonly ModelledQueue[],
  { model, misfits, dryRun }: { model: Schemas['WorkItemModel']; misfits: Misfits; dryRun: boolean },
): Schemas['WorkItemModelChange'] {
  return {
    dryRun,
    workItemModel: model,
    queues: queues.map(({ id, name, openItems }) => ({ id, name, openItems })),
    invalidItems: misfits.count,
    invalid: [...misfits.details],
  };
}
