import type { Id, Schemas } from '@millrace/api';
import { freeze, thaw } from '../../../freeze.ts';
import { kill } from '../agents.ts';
import { askAboutItem, factsLine } from '../ask.ts';
import { readStatement } from '../bank.ts';
import { historyOf, type Stint } from '../history.ts';
import { hostOf, idOf, queueOf, readMoment, type Scene } from '../scene.ts';
import type { Show } from '../show.ts';
import { until } from '../until.ts';

/** Kills a device after it has sent a payment and before it could report it, and settles the question that only a person can answer. */
export async function tellDeath(scene: Scene, show: Show): Promise<void> {
  const { stage, feed } = scene;
  show.chapter(
    'A device dies past the point of no return',
    'A payment cannot be undone, so its bot marks the point of no return before it sends. If the device dies after that, nobody ' +
      'tries again: it might be paid twice. A person is asked, with the evidence, while all others carry on.',
  );
  const stint = await until(stage, 'a device is killed that has sent a payment', () => killOne(scene));
  const host = hostOf(scene, stint.deviceId);
  const item = { queue: queueOf(scene, stint.queueId), id: stint.itemId };
  const killedOn = Date.now();
  scene.killed.set(stint.deviceId, killedOn);
  show.say(`${host} has sent ${item.queue} ${item.id} and is killed before it can report: kill -9.`);
  await askAboutItem(scene, show, item, 'not done');
  const inDoubt = await until(stage, 'the item is in doubt', () =>
    readUnresolved(scene, stint.queueId, stint.itemId),
  );
  const others = feed.events.filter(({ to, on }) => to === 'COMPLETE' && Date.parse(on) > killedOn).length;
  const seconds = ((Date.now() - killedOn) / 1000).toFixed(0);
  show.say(`${seconds} seconds later the others have done ${others} items, and nobody has heard of ${host}.`);
  await askAboutItem(scene, show, item, 'not done');
  await readMoment(scene, 3);
  await settle(scene, show, inDoubt);
  await askAboutItem(scene, show, item, 'not running');
}

/** Answers for items in doubt, with the statement of the bank. */
export async function settle(scene: Scene, show: Show, item: Schemas['WorkItem']): Promise<void> {
  const { anna, stage } = scene;
  const path = { id: item.queueId as Id, workItemId: item.id as Id };
  const { version = 0, doubt, logTail = '', json } = await anna.getWorkItem({ path });
  const reference = String(json?.['reference']);
  show.say('The evidence, and the newest output of its bot:');
  show.facts(factsLine({ ...doubt, lateReports: doubt?.lateReports.length }));
  show.facts(logTail);
  const isSent = (await readStatement(stage.server.folder)).includes(reference);
  const answer = isSent ? 'DONE' : 'NOT_DONE';
  const note = `The bank has ${isSent ? '' : 'not '}got ${reference}`;
  await anna.resolveWorkItem({ path, body: { version, answer, note } });
  show.say(`Anna looks the payment up at the bank, and answers ${answer}: "${note}".`);
}

/** @returns the item of the killed device; undefined when the device had just reported it, and works on. */
async function killOne(scene: Scene): Promise<Stint | undefined> {
  const stint = await sentPayment(scene);
  const agent = stint && scene.agents.get(hostOf(scene, stint.deviceId));
  if (!agent) return undefined;
  await freeze(agent);
  const path = { id: stint.queueId, workItemId: stint.itemId };
  const { status } = await scene.anna.getWorkItem({ path });
  if (status === 'IN_PROGRESS') await kill(agent);
  else thaw(agent);
  return status === 'IN_PROGRESS' ? stint : undefined;
}

/** A payment that a device has sent and not yet reported. */
async function sentPayment(scene: Scene): Promise<Stint | undefined> {
  const { feed, anna, stage, queueIds } = scene;
  const queueId = idOf(queueIds, 'Payments');
  const [stint] = historyOf(feed.events).stints.filter(
    (one) => one.queueId === queueId && one.to === undefined && one.pointOfNoReturnOn !== undefined,
  );
  if (!stint) return undefined;
  const { json } = await anna.getWorkItem({ path: { id: queueId, workItemId: stint.itemId } });
  const sent = await readStatement(stage.server.folder);
  return sent.includes(String(json?.['reference'])) ? stint : undefined;
}

async function readUnresolved({ anna }: Scene, id: Id, workItemId: Id) {
  const item = await anna.getWorkItem({ path: { id, workItemId } });
  return item.failureKind === 'IN_DOUBT' && item;
}
