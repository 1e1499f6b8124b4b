import { mayHappen, stringifyJson, type Id } from '@millrace/api';
import { keepsOthersOut, needsPlace } from '../duplicates/rules.ts';
import { Refusal } from '../errors.ts';
import { recordProblems, type JsonRecord } from '../models/record.ts';
import { decideIntake, expiryOf, type QueueDefinition } from '../queues/rules.ts';
import type { BulkAction } from './bulk-request.rules.ts';
import { decideCancel, decideRepair, decideResolve, notNow } from './repair.rules.ts';
import { moved, type Item, type Move } from './rules.ts';
import { arrivalIn, sortKey } from './sort-key.ts';

/** An item with its data. */
export interface Found {
  readonly item: Item;
  readonly json: JsonRecord;
}

/** What an action makes of an item and its data. */
export interface Decided {
  readonly found: Found;
  readonly move: Move;
  readonly json: JsonRecord;
}

export interface BulkCircumstances {
  readonly actorId: Id;
  readonly queue: QueueDefinition;
  /** Where the items are afterwards: the queue itself, unless they are moved. */
  readonly target: QueueDefinition;
  readonly now: Date;
}

type Verdict<Granted> = Granted | 'unchanged' | Refusal;
type ActionOf<Name> = Extract<BulkAction, { readonly name: Name }>;
type StatusAction = Exclude<BulkAction, { readonly name: 'EDIT' | 'SET_PRIORITY' | 'MOVE' }>;

/** What an action does to an item, in whatever state somebody has seen it. */
export function decideAction(
  found: Found,
  action: BulkAction,
  circumstances: BulkCircumstances,
): Verdict<Decided> {
  const { item, json } = found;
  const opensDoubt = action.name === 'RESOLVE' || action.name === 'DELETE';
  if (item.failureKind === 'IN_DOUBT' && !opensDoubt) return notNow(item, 'edit');
  if (action.name === 'EDIT') return decideEdit(found, action, circumstances);
  if (action.name === 'SET_PRIORITY') return decidePriority(found, action, circumstances);
  if (action.name === 'MOVE') return decideTransfer(found, action, circumstances);
  const move = decideStatus(item, action, circumstances);
  return move === 'unchanged' || move instanceof Refusal ? move : { found, move, json };
}

function decideStatus(item: Item, action: StatusAction, circumstances: BulkCircumstances): Verdict<Move> {
  const { reason } = action;
  switch (action.name) {
    case 'COMPLETE':
      return decideRepair(item, 'complete', { reason }, circumstances);
    case 'FAIL':
      return decideRepair(item, 'giveUp', { reason, error: reason }, circumstances);
    case 'DEFER':
      return decideRepair(item, 'defer', { reason, deferredUntil: action.deferredUntil }, circumstances);
    case 'RESTART':
      return decideRepair(item, 'restart', { reason }, circumstances);
    case 'RELEASE':
      return decideRelease(item, reason, circumstances);
    case 'RENEW':
      return item.status === 'FAILED'
        ? decideRepair(item, 'restart', { reason }, circumstances)
        : decideRelease(item, reason, circumstances);
    case 'CANCEL': {
      const verdict = decideCancel(item, { actorId: circumstances.actorId, reason }, circumstances.now);
      return verdict === 'repeated' ? 'unchanged' : verdict;
    }
    case 'RESOLVE': {
      const { answer, note } = action;
      const said = { version: item.version, answer, ...(note !== undefined && { note }) };
      return decideResolve(item, said, circumstances);
    }
    case 'DELETE':
      return mayHappen('delete', item) ? { transition: 'delete', item } : notNow(item, 'delete');
  }
}

function decideRelease(
  item: Item,
  reason: string | undefined,
  circumstances: BulkCircumstances,
): Verdict<Move> {
  const isClaimable = item.status === 'NEW' && item.notBefore === undefined;
  return isClaimable ? 'unchanged' : decideRepair(item, 'release', { reason }, circumstances);
}

function decidePriority(
  found: Found,
  { priority, reason }: ActionOf<'SET_PRIORITY'>,
  circumstances: BulkCircumstances,
): Verdict<Decided> {
  const { item, json } = found;
  const move = decideRepair(item, 'edit', { reason }, circumstances);
  if (move instanceof Refusal) return move;
  if (priority === item.priority) return 'unchanged';
  return { found, move: placed(move, circumstances.queue, { priority, json }), json };
}

function decideEdit(
  found: Found,
  { json: change, reason }: ActionOf<'EDIT'>,
  circumstances: BulkCircumstances,
): Verdict<Decided> {
  const { item } = found;
  const { queue } = circumstances;
  const move = decideRepair(item, 'edit', { reason }, circumstances);
  if (move instanceof Refusal) return move;
  const json = merged(found.json, change);
  if (stringifyJson(json) === stringifyJson(found.json)) return 'unchanged';
  const [problem] = recordProblems(queue.attributes, json);
  if (problem) return new Refusal('INVALID_REQUEST', `Item ${item.id}: ${problem.field} ${problem.message}.`);
  return { found, move: placed(move, queue, { priority: item.priority, json }), json };
}

/** The record with the attributes set that a change names; those that it sets to null are taken away. */
function merged(old: JsonRecord, change: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries({ ...old, ...change }).filter(([, value]) => value !== null));
}

function decideTransfer(
  found: Found,
  { reason }: ActionOf<'MOVE'>,
  { target, now }: BulkCircumstances,
): Verdict<Decided> {
  const { item, json } = found;
  if (!mayHappen('move', item)) return notNow(item, 'move');
  const refusal = item.status === 'FAILED' ? undefined : decideIntake(target, now);
  if (refusal) return refusal;
  const expiresOn = expiryOf(target, now);
  const move = { transition: 'move', item: { ...moved(item, 'move', now), expiresOn }, reason } as const;
  return { found, move: placed(move, target, { priority: item.priority, json }), json };
}

/** The item at its place in the order of a queue, behind those that have arrived before it. */
function placed(
  move: Move,
  queue: QueueDefinition,
  { priority, json }: { readonly priority: number; readonly json: JsonRecord },
): Move {
  const place = sortKey(queue, priority, json, arrivalIn(move.item.sortKey));
  return { ...move, item: { ...move.item, priority, sortKey: place } };
}

/** Whether the item needs a place of its own in a queue that takes no duplicates. */
export function wantsPlace(
  { name }: BulkAction,
  { found, move }: Decided,
  { queue, target }: Pick<BulkCircumstances, 'queue' | 'target'>,
): boolean {
  if (name === 'DELETE') return false;
  if (name === 'MOVE' || name === 'EDIT') return keepsOthersOut(target, move.item.status);
  return needsPlace(queue, found.item.status, move.item.status);
}

/** Why the items of a queue cannot be moved to another, whichever they are. */
export function transferProblem(from: QueueDefinition, to: QueueDefinition): Refusal | undefined {
  const problem =
    from.id === to.id
      ? 'is the queue where the items are'
      : from.modelId === to.modelId
        ? undefined
        : `names a queue of another model: items of model ${from.modelId} do not fit into queue ${to.id}, of model ${to.modelId}`;
  if (problem === undefined) return undefined;
  const details = [{ field: 'queueId', message: problem }];
  return new Refusal('INVALID_REQUEST', `queueId ${problem}.`, { details });
}
