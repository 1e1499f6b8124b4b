import { Refusal } from '../errors.ts';
import type { Context } from '../operation.ts';
import { ownsQueuesOfModel } from '../queues/of-model.ts';
import type { StoredModel } from './sql.ts';

/**
 * A change of a model changes its queues: it is for queue admins and for who owns all of them, and where there is none for who
 * created the model. @throws Refusal FORBIDDEN for anybody else
 */
export async function refuseStrangers(context: Context, model: StoredModel): Promise<void> {
  const { actor } = context;
  if (actor.permissions.has('manageAllQueues')) return;
  const owns = await ownsQueuesOfModel(context, model.id);
  if (owns ?? model.createdBy === actor.id) return;
  const message =
    owns === undefined
      ? `Model ${model.id} was created by somebody else.`
      : `Model ${model.id} is used by queues that you do not own.`;
  throw new Refusal('FORBIDDEN', `${message} Ask an owner, or a queue admin.`);
}
