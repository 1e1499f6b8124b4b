import { mayHappen, type Id, type Schemas, type Status, type TransitionName } from '@millrace/api';
import { Refusal } from '../errors.ts';
import { expiryOf, type QueueDefinition } from '../queues/rules.ts';
import { passage } from './end.rules.ts';
import { bounded, dateOf, moved, resultProblem, stale, tagsOf, type Item, type Move } from './rules.ts';
import { arrivalIn, movedBehind } from './sort-key.ts';

/** What a person, or the holder in a single call, wants of an item. */
export type Update = Omit<Schemas['UpdateWorkItemRequest'], 'id' | 'queueId' | 'json'>;

/** What people may do to an item that nobody holds, beside moving and deleting it. */
export type Repair = Extract<
  TransitionName,
  | 'release'
  | 'restart'
  | 'edit'
  | 'defer'
  | 'complete'
  | 'giveUp'
  | 'resolveDone'
  | 'resolveNotDone'
  | 'resolvePartly'
>;

type SaidMember = 'comment' | 'error' | 'output' | 'resultText' | 'tags' | 'deferredUntil' | 'reason';

/** What a person says along with it. */
export type Said = { readonly [M in SaidMember]?: Update[M] | undefined };

export interface RepairCircumstances {
  readonly queue: Pick<QueueDefinition, 'expiry'>;
  readonly now: Date;
}

/** What a person's update does to the item. */
export function decideUpdate(item: Item, update: Update, circumstances: RepairCircumstances): Move | Refusal {
  if (item.version !== update.version) return stale(item);
  if (update.status === 'IN_PROGRESS' && item.status !== 'IN_PROGRESS') return unclaimable(item);
  const disagreement = resultProblem(update.status ?? item.status, update.result);
  return disagreement ?? decideRepair(item, repairOf(item, update), update, circumstances);
}

/** The status that a person asks for, as what is to be done; the present one is an edit. */
function repairOf(item: Item, update: Update): Repair {
  const { status = item.status, deferredUntil } = update;
  if (isAnswer(item, update)) return resolutions[status] ?? repairs[status] ?? 'edit';
  const isDeferredAnew = status === 'DEFERRED' && deferredUntil !== undefined;
  return status === item.status && !isDeferredAnew ? 'edit' : (repairs[status] ?? 'edit');
}

/** Whether the status that is sent answers the question of an item in doubt; as it was read, it leaves it open. */
function isAnswer(item: Item, { status, failureKind }: Update): boolean {
  if (item.failureKind !== 'IN_DOUBT' || status === undefined) return false;
  return status !== 'FAILED' || failureKind !== 'IN_DOUBT';
}

type Meaning = Partial<Record<Status, Repair>>;

const repairs: Meaning = { COMPLETE: 'complete', FAILED: 'giveUp', DEFERRED: 'defer' };
const resolutions: Meaning = { COMPLETE: 'resolveDone', FAILED: 'resolvePartly' };

/** What a person does to an item that nobody holds. A change of status is for the version that the person has seen. */
export function decideSeenRepair(
  item: Item,
  { version, repair, ...said }: Said & { readonly version: number; readonly repair: Repair },
  circumstances: RepairCircumstances,
): Move | Refusal {
  return item.version === version ? decideRepair(item, repair, said, circumstances) : stale(item);
}

/** The same for the item as it is, whatever it was when the person saw it. */
export function decideRepair(
  item: Item,
  repair: Repair,
  said: Said,
  circumstances: RepairCircumstances,
): Move | Refusal {
  if (!mayHappen(repair, item)) return notNow(item, repair);
  if (repair === 'resolvePartly' && !said.comment?.trim()) return unexplained(item);
  const change = changeBy(item, repair, said, circumstances);
  if (change instanceof Refusal) return change;
  const { comment = item.comment, error = item.error, output = item.output } = said;
  const { resultText = item.resultText } = said;
  const tags = said.tags ? tagsOf(said.tags) : item.tags;
  const kept = { comment, error, output, resultText, tags };
  const next = { ...moved(item, repair, circumstances.now), ...kept, ...change };
  return { transition: repair, item: next, reason: said.reason };
}

/** An item that is to be processed anew; what was wrong with it, its attempts tell. */
const unhurt = { lapseCount: undefined, error: undefined };

/** What a repair changes besides the status. */
function changeBy(
  item: Item,
  repair: Repair,
  said: Said,
  { queue, now }: RepairCircumstances,
): Partial<Item> | Refusal {
  switch (repair) {
    case 'complete':
    case 'resolveDone':
      return { result: 'SUCCESS', error: undefined };
    case 'giveUp':
      return { result: 'FAILURE', failureKind: 'BUSINESS' };
    case 'resolvePartly':
      return { failureKind: 'BUSINESS', pointOfNoReturnOn: undefined, error: partlyDone(item, said) };
    case 'defer':
      return deferral(item, said, { queue, now });
    case 'release':
      return { sortKey: atLatestNow(item.sortKey, now) };
    case 'restart':
      return renewed(item, queue, now, {
        ...unhurt,
        retryCount: 0,
        sortKey: movedBehind(item.sortKey, now),
      });
    case 'resolveNotDone':
      return renewed(item, queue, now, unhurt);
    case 'edit':
      return {};
  }
}

/** Until when an item is put aside. What had failed has failed no more: it needs an expiry to come, and no error but a new one. */
function deferral(item: Item, said: Said, { queue, now }: RepairCircumstances): Partial<Item> | Refusal {
  const notBefore = dateOf(said.deferredUntil);
  if (notBefore && notBefore <= now) return passed('deferredUntil', now);
  if (item.status !== 'FAILED') return { notBefore };
  return renewed(item, queue, now, { notBefore, error: newError(item, said) });
}

function passed(field: string, now: Date): Refusal {
  const message = `has passed: it is ${now.toISOString()} by now`;
  return new Refusal('INVALID_REQUEST', `${field} ${message}. Leave it out to defer for ever.`, {
    details: [{ field, message }],
  });
}

/** What a person says of an error; the one of the item, sent back as it was read, says nothing. */
function newError(item: Item, { error }: Said): string | undefined {
  return error === item.error ? undefined : error;
}

/** The error of an item that was done in part, in the place of the question that it left open. */
function partlyDone(item: Item, said: Said): string {
  return newError(item, said) ?? bounded(`${passage(item)}; it was done in part: ${said.comment}`);
}

/** An item that waited for its retry had its place behind all that came until then. */
function atLatestNow(sortKey: Buffer, now: Date): Buffer {
  return arrivalIn(sortKey) > now ? movedBehind(sortKey, now) : sortKey;
}

/** An item that has expired gets a new expiry, counted from now, or would fail again at once. */
function renewed(
  item: Item,
  queue: RepairCircumstances['queue'],
  now: Date,
  change: Partial<Item>,
): Partial<Item> | Refusal {
  if (item.expiresOn === undefined || item.expiresOn > now) return change;
  const expiresOn = expiryOf(queue, now);
  if (expiresOn === undefined || expiresOn > now) return { ...change, expiresOn };
  return new Refusal(
    'STATUS_CONFLICT',
    `Item ${item.id} would expire at once: the expiry of its queue, ${expiresOn.toISOString()}, has passed. Change that first.`,
  );
}

/** What a person who cancels an item does to it: its holder is told, and goes on until then. */
export function decideCancel(
  item: Item,
  { actorId, reason }: { readonly actorId: Id; readonly reason: string | undefined },
  now: Date,
): Move | 'repeated' | Refusal {
  if (item.status !== 'IN_PROGRESS') {
    return new Refusal(
      'STATUS_CONFLICT',
      `Item ${item.id} is ${item.status}: nobody works on it, so there is nobody to stop. Delete it, defer it, or set its status.`,
    );
  }
  if (!mayHappen('cancel', item)) return 'repeated';
  const request = { cancelRequestedOn: now, cancelRequestedBy: actorId, cancelReason: reason };
  return { transition: 'cancel', item: { ...item, ...request }, reason };
}

const longestReason = 1000;
const answers = { DONE: 'resolveDone', NOT_DONE: 'resolveNotDone', PARTLY: 'resolvePartly' } as const;

/** What the answer of a person does to an item that is in doubt. */
export function decideResolve(
  item: Item,
  { version, answer, note }: Schemas['ResolveRequest'],
  circumstances: RepairCircumstances,
): Move | Refusal {
  const said = { comment: note, reason: note?.slice(0, longestReason) };
  return decideSeenRepair(item, { version, repair: answers[answer], ...said }, circumstances);
}

function unexplained({ id }: Item): Refusal {
  const message = `Item ${id} was done in part: say in a note what is left to do. It becomes the comment of the item.`;
  return new Refusal('INVALID_REQUEST', message, { details: [{ field: 'note', message: 'is missing' }] });
}

function unclaimable({ id, status }: Item): Refusal {
  return new Refusal('STATUS_CONFLICT', `Item ${id} is ${status}. Items come into progress by a claim only.`);
}

/** Why something that a person wants cannot happen to the item as it is. */
export function notNow(item: Item, wanted: TransitionName): Refusal {
  const { id, status, leaseExpiresOn } = item;
  if (status === 'IN_PROGRESS') {
    const until = leaseExpiresOn?.toISOString();
    return new Refusal(
      'STATUS_CONFLICT',
      `Item ${id} is being processed, its lease runs until ${until}. Wait until it is done, or cancel it.`,
    );
  }
  if (item.failureKind === 'IN_DOUBT') {
    return new Refusal(
      'STATUS_CONFLICT',
      `Item ${id} is IN_DOUBT: it may have been done. Find out, then answer DONE, NOT_DONE or PARTLY (resolveWorkItem).`,
    );
  }
  if (wanted.startsWith('resolve')) {
    return new Refusal('STATUS_CONFLICT', `Item ${id} is not in doubt: it is ${status}.`);
  }
  const what =
    status === 'COMPLETE' ? 'A COMPLETE item cannot be changed.' : `That cannot happen to it (${wanted}).`;
  return new Refusal('STATUS_CONFLICT', `Item ${id} is ${status}. ${what}`);
}
