import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { tokenOfAdmin } from './frame.ts';
import { testJobsWithItems } from './jobs-with-items.ts';
import { testJobsWithDevices, testJobsWithQueues } from './jobs-with-queues.ts';
import { sceneOn, type Scene } from './scene.ts';
import { browserFile, setStage, type Stage } from './stage.ts';

describe.skipIf(browserFile === undefined)('In a browser, by the mouse alone and by keys alone, one', () => {
  let stage: Stage;
  let scene: Scene;
  beforeAll(async () => {
    stage = await setStage();
    scene = sceneOn(stage, await tokenOfAdmin(stage));
  });
  afterEach(() => stage.clear());
  afterAll(() => stage.stop());
  // In this order: each leaves what the one before would meet.
  testJobsWithQueues(() => scene);
  testJobsWithItems(() => scene);
  testJobsWithDevices(() => scene);
});
