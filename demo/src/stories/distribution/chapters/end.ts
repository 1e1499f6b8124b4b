import type { Id, Schemas } from '@millrace/api';
import type { Ending } from '../../../stage.ts';
import { readStatement } from '../bank.ts';
import { pools } from '../cast.ts';
import { settle } from './death.ts';
import { sumUp, wrongsOf, type Outcome } from '../outcome.ts';
import { fairQueues, idOf, type Scene } from '../scene.ts';
import type { Show } from '../show.ts';
import { drawOutcome } from '../tables.ts';
import { until } from '../until.ts';

type Item = Schemas['WorkItem'];

/** Waits until everything has come to an end, and adds up. */
export async function tellEnd(scene: Scene, show: Show): Promise<Ending> {
  show.chapter('What became of everything', 'The rest is worked off.');
  const items = await until(scene.stage, 'all items have come to an end', () => settleAll(scene, show));
  const ids = new Set(items.map(({ id }) => id));
  await until(scene.stage, 'the feed tells of all ends', () => toldEnds(scene) >= ids.size);
  show.end();
  const outcome = sumUp(await evidenceOf(scene, items));
  const wrongs = wrongsOf(outcome);
  const moral = wrongs.length === 0 ? `\n\n${moralOf(outcome)}` : '';
  return { text: `${drawOutcome(outcome)}${moral}`, record: outcome, wrongs };
}

/** The checks, when nothing was wrong. */
function moralOf({ queues }: Outcome): string {
  const items = queues.reduce((sum, queue) => sum + queue.items, 0);
  return `All ${items} items came to an end, each once. No payment was sent twice, and no queue starved.`;
}

/** @returns all items, when all have come to an end and none is in doubt. */
async function settleAll(scene: Scene, show: Show): Promise<readonly Item[] | undefined> {
  const items = await readItems(scene);
  const inDoubt = items.filter(({ failureKind }) => failureKind === 'IN_DOUBT');
  for (const item of inDoubt) await settle(scene, show, item);
  return inDoubt.length === 0 && items.every(({ endTime }) => endTime !== undefined) ? items : undefined;
}

async function readItems({ anna, queueIds }: Scene): Promise<readonly Item[]> {
  const pages = [...queueIds.values()].map((id) =>
    anna.listWorkItems({ path: { id }, body: { page: { offset: 0, length: 1000 } } }),
  );
  return (await Promise.all(pages)).flatMap(({ list }) => list);
}

/** The number of items whose end the feed has told. */
function toldEnds({ feed }: Scene): number {
  const ends = feed.events.filter(({ to, from }) => from !== to && (to === 'COMPLETE' || to === 'FAILED'));
  return new Set(ends.map(({ itemId }) => itemId)).size;
}

async function evidenceOf(scene: Scene, items: readonly Item[]) {
  const { accepted, feed, queueIds, deviceIds, killed, stage } = scene;
  const fair = pools.filter(({ scheme }) => scheme === 'FAIR').flatMap(({ hosts }) => hosts);
  return {
    accepted,
    items,
    events: feed.events,
    queues: queueIds,
    devices: deviceIds,
    killed,
    fair: { deviceIds: fair.map((host): Id => idOf(deviceIds, host)), queues: fairQueues(scene) },
    payments: { queueId: idOf(queueIds, 'Payments'), sent: await readStatement(stage.server.folder) },
  };
}
