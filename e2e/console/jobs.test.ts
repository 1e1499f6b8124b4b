import { beforeAll, describe } from 'vitest';
import { tokenOfAdmin } from './frame.ts';
import { testJobsWithItems } from './jobs-with-items.ts';
import { testJobsWithDevices, testJobsWithQueues } from './jobs-with-queues.ts';
import { sceneOn, type Scene } from './scene.ts';
import { browserFile, setStage } from './stage.ts';

describe.skipIf(browserFile === undefined)('In a browser, by the mouse alone and by keys alone, one', () => {
  const stage = setStage();
  let scene: Scene;
  beforeAll(async () => {
    scene = sceneOn(stage, await tokenOfAdmin(stage));
  });
  // In this order, because each job leaves things behind that an earlier one would meet.
  testJobsWithQueues(() => scene);
  testJobsWithItems(() => scene);
  testJobsWithDevices(() => scene);
});
