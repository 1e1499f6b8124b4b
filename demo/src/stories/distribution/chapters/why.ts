import type { Id } from '@millrace/api';
import { askAboutItem, askAboutQueue } from '../ask.ts';
import { pools, signingLabel } from '../cast.ts';
import { historyOf } from '../history.ts';
import { countsOf } from '../panel.ts';
import { idOf, readMoment, type Scene } from '../scene.ts';
import type { Show } from '../show.ts';
import { until } from '../until.ts';

const deferSeconds = 8;

/** Asks about everything that does not run, and follows the answers. */
export async function tellWhy(scene: Scene, show: Show): Promise<void> {
  show.chapter(
    'Why is this not running?',
    'Whatever does not run, the server knows why: one plain sentence, and the facts that it rests on. What helps is then done.',
  );
  await askAboutItem(scene, show, { queue: 'Invoices', id: lastWaiting(scene, 'Invoices') });
  await readMoment(scene, 2);
  await deferOne(scene, show);
  await pause(scene, show);
  await givePaymentsADevice(scene, show);
}

async function deferOne(scene: Scene, show: Show): Promise<void> {
  const { anna, queueIds } = scene;
  const path = { id: idOf(queueIds, 'Refunds'), workItemId: lastWaiting(scene, 'Refunds') };
  const { version = 0 } = await anna.getWorkItem({ path });
  const deferredUntil = new Date(Date.now() + deferSeconds * 1000).toISOString();
  const reason = 'The customer is asked first';
  const change = { id: path.workItemId, queueId: path.id, version, status: 'DEFERRED' as const };
  await anna.updateWorkItem({ path, body: { ...change, deferredUntil, reason } });
  show.say('Anna puts an item aside.');
  await askAboutItem(scene, show, { queue: 'Refunds', id: path.workItemId });
  await readMoment(scene, 2);
}

async function pause(scene: Scene, show: Show): Promise<void> {
  const { anna, queueIds } = scene;
  const path = { id: idOf(queueIds, 'Refunds') };
  await anna.pauseQueue({ path, body: { reason: 'The form has changed' } });
  show.say('She pauses a queue. What runs goes on, and the others get its devices.');
  await askAboutItem(scene, show, { queue: 'Refunds', id: lastWaiting(scene, 'Refunds') });
  await readMoment(scene, 3);
  await anna.resumeQueue({ path, body: { reason: 'The bot knows the new form' } });
  show.say('She resumes it.');
}

/** Two things keep the payments from running; each is found by asking. */
async function givePaymentsADevice(scene: Scene, show: Show): Promise<void> {
  const { anna, stage, queueIds, deviceIds, feed } = scene;
  await askAboutQueue(scene, show, 'Payments');
  await readMoment(scene, 3);
  const hosts = pools.find(({ name }) => name === 'Bank')?.hosts ?? [];
  for (const host of hosts) {
    const path = { id: idOf(deviceIds, host) };
    const { version } = await anna.getDevice({ path });
    await anna.updateDevice({ path, body: { version, labels: [signingLabel] } });
  }
  show.say(`She gives the label to ${hosts.join(' and ')}, and asks again.`);
  await askAboutQueue(scene, show, 'Payments');
  await readMoment(scene, 2);
  const path = { id: idOf(queueIds, 'Payments') };
  const { version = 0 } = await anna.getQueue({ path });
  await anna.updateQueue({ path, body: { version, reactivationThreshold: 1 } });
  show.say('She lowers the threshold to 1, and the payments begin.');
  await until(stage, 'a payment has begun', () => countsOf(historyOf(feed.events), path.id).running > 0);
}

/** @throws Error when the queue is empty. */
function lastWaiting({ feed, queueIds }: Scene, queue: string): Id {
  const queueId = idOf(queueIds, queue);
  const waits = historyOf(feed.events).waits.filter(
    (wait) => wait.queueId === queueId && wait.to === undefined,
  );
  const last = waits.at(-1);
  if (last === undefined)
    throw new Error(`Nothing waits in ${queue} any more: there was too little work for the story.`);
  return last.itemId;
}
