import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type Client, type Schemas } from '@millrace/api';
import { answerOf, handsOf, overtaken, type Hands, type Place } from './calls.ts';
import { leaseSeconds, limits, report, shortenLease, type Held } from './work.ts';

/** People with different rights in the same queues. */
export interface Crowd {
  /** Adds items, and takes none. */
  readonly participant: Place;
  /** Takes items, and adds none. */
  readonly consumer: Place;
  /** Belongs to no queue, and has no device. */
  readonly stranger: Place;
}

/** The queues and devices where they meet. */
export interface Meeting {
  readonly queueIds: readonly number[];
  readonly deviceIds: readonly number[];
}

/** A caller at one server: callers who meet there share a transaction. */
interface Caller {
  readonly hands: Hands;
  readonly client: Client;
}

/** The callers in a queue, and the operations that have been refused to somebody. */
interface Round {
  readonly participant: Caller;
  readonly consumer: Caller;
  readonly stranger: Caller;
  readonly queueId: number;
  readonly denied: Set<string>;
}

/** Operations that all of them call. */
export const shared = [
  'createWorkItems',
  'claimWorkItems',
  'updateWorkItem',
  'heartbeatWorkItems',
  'finishWorkItems',
  'requestWork',
];

/**
 * All call the same operation at the same moment, and only those who may are answered; goes on until told to stop, and until each operation
 * was refused to somebody and an item was taken by its id.
 */
export async function mingle(crowd: Crowd, meeting: Meeting, signal: AbortSignal): Promise<void> {
  const people = [crowd.participant, crowd.consumer, crowd.stranger].map((place) => handsOf(place));
  const [{ chance, clients }] = people as [Hands];
  const denied = new Set<string>();
  let hasTaken = false;
  const isOver = () => signal.aborted && hasTaken && shared.every((operation) => denied.has(operation));
  for (let count = 1; !isOver(); count += 1) {
    const server = chance.below(clients.length);
    const here = people.map((hands) => ({ hands, client: hands.clients[server] as Client }));
    const [participant, consumer, stranger] = here as [Caller, Caller, Caller];
    const round = { participant, consumer, stranger, queueId: chance.oneOf(meeting.queueIds), denied };
    const added = await addTogether(round, `crowd ${count}`);
    const isClaim = chance.once(2) || !added;
    const held = await (isClaim ? claimTogether(round) : takeTogether(round, added));
    hasTaken ||= !isClaim && held !== undefined;
    if (held) await workTogether(round, held);
    const ofOthers = { path: { id: chance.oneOf(meeting.deviceIds) }, body: { leaseSeconds } };
    await tryInVain(round, [stranger], 'requestWork', (client) => client.requestWork(ofOthers, limits));
    await sleep(chance.below(800));
  }
}

/** Answers the id of one of the items. */
async function addTogether(round: Round, key: string): Promise<number | undefined> {
  const { participant, consumer, stranger, queueId } = round;
  const add = (client: Client, customer: string) => {
    const body = { workItems: [{ json: { customer } }] };
    return client.createWorkItems({ path: { id: queueId }, body }, limits);
  };
  const addOwn = async ({ hands, client }: Caller, customer: string) => {
    hands.write({ note: 'creating', keys: [customer] });
    const answer = await answerOf(() => add(client, customer));
    const ids = answer?.list.map(({ id }) => Number(id)) ?? [];
    hands.write(...ids.map((id) => ({ note: 'created' as const, id, key: customer })));
    return ids[0];
  };
  const [id] = await Promise.all([
    addOwn(participant, `${key}, one`),
    tryInVain(round, [consumer, stranger], 'createWorkItems', (client) => add(client, 'of nobody')),
    addOwn(participant, `${key}, two`),
  ]);
  return id;
}

/** The answer to the consumer while the others call the same; nothing when the call has come to nothing. */
async function askTogether<T>(
  round: Round,
  operation: string,
  call: (client: Client) => Promise<T>,
): Promise<T | undefined> {
  const { participant, consumer, stranger } = round;
  const [answer] = await Promise.all([
    answerOf(() => call(consumer.client).catch(overtaken)),
    tryInVain(round, [participant, stranger], operation, call),
  ]);
  return answer ?? undefined;
}

async function claimTogether(round: Round): Promise<Held | undefined> {
  const call = { path: { id: round.queueId }, body: { leaseSeconds } };
  const answer = await askTogether(round, 'claimWorkItems', (client) => client.claimWorkItems(call, limits));
  return answer?.list[0] && granted(round, answer.list[0]);
}

/** Takes a newly added item by its id. */
async function takeTogether(round: Round, id: number): Promise<Held | undefined> {
  const { queueId } = round;
  const body = { id, queueId, version: 0, status: 'IN_PROGRESS' as const };
  const call = { path: { id: queueId, workItemId: id }, body };
  const item = await askTogether(round, 'updateWorkItem', (client) => client.updateWorkItem(call, limits));
  await shortenLease(round.consumer.hands, { id, version: 1, queueId });
  return item && granted(round, item);
}

function granted(
  { consumer: { hands }, queueId }: Round,
  item: Pick<Schemas['WorkItem'], 'id' | 'version'>,
): Held {
  const grant = { by: hands.by, id: Number(item.id), version: Number(item.version) };
  hands.write({ note: 'granted', ...grant });
  return { ...grant, queueId };
}

/** A heartbeat and a report by the holder, among others who know as much of the item. */
async function workTogether(round: Round, held: Held): Promise<void> {
  const { participant, consumer, stranger, queueId } = round;
  const { id, version } = held;
  const path = { id: queueId };
  const lease = { path, body: { leases: [{ id, version, leaseSeconds }] } };
  await askTogether(round, 'heartbeatWorkItems', (client) => client.heartbeatWorkItems(lease, limits));
  const results = { path, body: { results: [{ id, version, status: 'COMPLETE' as const }] } };
  await Promise.all([
    report(consumer.hands, held, 'COMPLETE'),
    tryInVain(round, [participant, stranger], 'finishWorkItems', (client) =>
      client.finishWorkItems(results, limits),
    ),
  ]);
}

/** Calls by people without the right. */
async function tryInVain(
  { denied }: Round,
  callers: readonly Caller[],
  operation: string,
  call: (client: Client) => Promise<unknown>,
): Promise<void> {
  const attempts = callers.map(async ({ hands, client }) => {
    const note = await answerOf(() => call(client).then(() => 'let' as const, denial));
    if (note === undefined) return;
    hands.write({ note, by: hands.by, operation });
    denied.add(operation);
  });
  await Promise.all(attempts);
}

/** A refusal for want of rights; a stranger is told that the thing does not exist. */
function denial(error: unknown): 'denied' {
  if (error instanceof ApiError && [403, 404].includes(error.status)) return 'denied';
  throw error;
}
