import { describe } from 'vitest';
import { testFrame } from './frame.ts';
import { testItems } from './items.ts';
import { browserFile, setStage } from './stage.ts';

if (browserFile === undefined)
  console.warn(
    'There is no Chromium on this machine (such as /usr/bin/chromium): the console is not tested in a browser.',
  );

describe.skipIf(browserFile === undefined)('In a browser,', () => {
  const stage = setStage();
  testFrame(() => stage);
  testItems(() => stage);
});
