import type { Id } from '@millrace/api';
import { pools } from '../cast.ts';
import { historyOf, type Stint } from '../history.ts';
import { drawTimeline } from '../timeline.ts';
import { hostOf, idOf, queueOf, readMoment, type Scene } from '../scene.ts';
import type { Show } from '../show.ts';
import { until } from '../until.ts';

const reason = 'It books amounts twice';

/** Takes a device out of use while it holds an item, and follows the item to its end. */
export async function tellQuarantine(scene: Scene, show: Show): Promise<void> {
  const { anna, stage, deviceIds } = scene;
  show.chapter(
    'A device is taken out of use',
    'What it holds goes back at once and is done elsewhere, without a lost attempt. The device gets nothing more until ' +
      'somebody resumes it.',
  );
  const item = await until(stage, 'a device is quarantined while it holds an item', () =>
    quarantineOne(scene),
  );
  const name = `${queueOf(scene, item.queueId)} ${item.itemId}`;
  show.say(`Anna quarantines ${hostOf(scene, item.deviceId)}, which holds ${name}: "${reason}".`);
  await until(stage, `${name} is done or has failed`, () => isEnded(scene, item));
  const path = { id: item.queueId, workItemId: item.itemId };
  const { list } = await anna.listWorkItemEvents({ path });
  show.say(`The timeline of ${name}:`);
  show.lines(drawTimeline(list, deviceIds));
  const { retryCount } = await anna.getWorkItem({ path });
  show.say(`Attempts that count against it: ${String(retryCount)}.`);
  await readMoment(scene, 2);
}

/** @returns the item that was taken back; undefined when the device had just finished it, and works on. */
async function quarantineOne(scene: Scene): Promise<Stint | undefined> {
  const { anna, feed } = scene;
  const [stint] = historyOf(feed.events)
    .stints.filter((one) => one.to === undefined && isInOffice(scene, one.deviceId))
    .toSorted((one, other) => other.from - one.from);
  if (!stint) return undefined;
  const path = { id: stint.deviceId };
  await anna.quarantineDevice({ path, body: { reason } });
  const { list } = await anna.listWorkItemEvents({ path: { id: stint.queueId, workItemId: stint.itemId } });
  if (list.some(({ operation }) => operation === 'quarantineDevice')) return stint;
  await anna.resumeDevice({ path, body: { reason: 'It holds nothing' } });
  return undefined;
}

function isInOffice({ deviceIds }: Scene, id: Id): boolean {
  const hosts = pools.find(({ scheme }) => scheme === 'FAIR')?.hosts ?? [];
  return hosts.some((host) => idOf(deviceIds, host) === id);
}

function isEnded({ feed }: Scene, { queueId, itemId }: Stint): boolean {
  return feed.events.some(
    (event) =>
      event.queueId === queueId &&
      event.itemId === itemId &&
      (event.to === 'COMPLETE' || event.to === 'FAILED'),
  );
}
