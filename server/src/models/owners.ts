import { Refusal } from '../errors.ts';
import type { Context } from '../operation.ts';
import { ownQueuesOfModel } from '../queues/of-model.ts';
import type { StoredModel } from './sql.ts';

/**
 * A change of a model changes its queues: it is for queue admins, and for its maker and those who own a queue of it together with the
 * maker, as long as they own all queues that use it. A queue of one's own on the model of another gives no right to the model.
 * @throws Refusal FORBIDDEN for anybody else
 */
export async function refuseStrangers(context: Context, model: StoredModel): Promise<void> {
  const { actor } = context;
  if (actor.permissions.has('manageAllQueues')) return;
  const { all = true, withMaker = false } = await ownQueuesOfModel(context, model);
  const isTrusted = model.createdBy === actor.id || withMaker;
  if (isTrusted && all) return;
  const message = isTrusted
    ? `Model ${model.id} is used by queues that you do not own.`
    : `Model ${model.id} was created by somebody else.`;
  throw new Refusal('FORBIDDEN', `${message} Ask an owner, or a queue admin.`);
}
