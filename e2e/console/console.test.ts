import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { testFrame } from './frame.ts';
import { testItems } from './items.ts';
import { browserFile, setStage, type Stage } from './stage.ts';

if (browserFile === undefined)
  console.warn(
    'There is no Chromium on this machine (such as /usr/bin/chromium): the console is not tested in a browser.',
  );

describe.skipIf(browserFile === undefined)('In a browser,', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage();
  });
  afterEach(() => stage.clear());
  afterAll(() => stage.stop());
  testFrame(() => stage);
  testItems(() => stage);
});
