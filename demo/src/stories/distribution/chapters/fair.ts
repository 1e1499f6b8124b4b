import { queues } from '../cast.ts';
import { historyOf } from '../history.ts';
import { contestedSpans, sharesIn } from '../measures.ts';
import { countsOf } from '../panel.ts';
import { addItems, fairQueues, idOf, type Scene } from '../scene.ts';
import type { Show } from '../show.ts';
import { lengthOf } from '../spans.ts';
import { percent } from '../tables.ts';
import { until } from '../until.ts';

/** Loads the queues, and shows how FAIR shares the devices of the office between three of them. */
export async function tellFair(scene: Scene, show: Show): Promise<void> {
  show.chapter(
    'FAIR keeps every device busy',
    'Three queues share the six devices of the office by weight. Nobody waits for another queue to be empty, and no ' +
      'device stands still while one of them has work.',
  );
  show.say('All work comes at once:');
  for (const queue of queues) {
    const ids = await addItems(scene, queue);
    show.entry(`${ids.length} items for ${queue.name}`);
  }
  await until(scene.stage, 'a quarter of the items is done', () => isUnderWay(scene));
  const now = Date.now();
  const history = historyOf(scene.feed.events);
  const fair = fairQueues(scene);
  const spans = contestedSpans(
    history,
    fair.map(({ queueId }) => queueId),
    now,
  );
  const shares = sharesIn(spans, history, fair, now).map(({ queueId, got, due }) => {
    const name = queues.find((one) => idOf(scene.queueIds, one.name) === queueId)?.name ?? '';
    return `${name} ${percent(got)} (${percent(due)})`;
  });
  show.say(
    `In ${(lengthOf(spans) / 1000).toFixed(1)} seconds with work in all three they got so much of the devices' time, against ` +
      `what their weight is due: ${shares.join(', ')}.`,
  );
}

function isUnderWay(scene: Scene): boolean {
  const history = historyOf(scene.feed.events);
  const counts = fairQueues(scene).map(({ queueId }) => countsOf(history, queueId));
  const ended = counts.reduce((sum, { done, failed }) => sum + done + failed, 0);
  return ended * 4 >= scene.accepted.length;
}
