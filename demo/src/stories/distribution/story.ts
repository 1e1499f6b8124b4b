import type { Ending, Stage } from '../../stage.ts';
import type { Size } from './cast.ts';
import { tellDeath } from './chapters/death.ts';
import { tellEnd } from './chapters/end.ts';
import { tellFair } from './chapters/fair.ts';
import { tellQuarantine } from './chapters/quarantine.ts';
import { tellSetting } from './chapters/setting.ts';
import { tellWhy } from './chapters/why.ts';
import { setScene, type Scene } from './scene.ts';
import { openShow, type Show } from './show.ts';

/** The size that people see. */
export const wholeSize: Size = { items: 1, work: 1, reading: 1 };

/** Four queues, the devices of two pools, and every obstacle that keeps an item from running. */
export async function tellDistribution(stage: Stage, size: Size): Promise<Ending> {
  stage.terminal.say('Starting eight agents ...');
  const scene = await setScene(stage, size);
  const { feed, deviceIds, queueIds, killed } = scene;
  const { sayColors: colors } = stage.terminal;
  const show = openShow(stage, feed, { devices: deviceIds, queues: queueIds, killed, colors });
  return Promise.race([tellChapters(scene, show), feed.failed]);
}

async function tellChapters(scene: Scene, show: Show): Promise<Ending> {
  await tellSetting(scene, show);
  await tellFair(scene, show);
  await tellQuarantine(scene, show);
  await tellWhy(scene, show);
  await tellDeath(scene, show);
  return tellEnd(scene, show);
}
