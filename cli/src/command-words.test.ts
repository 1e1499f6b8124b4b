import { expect, test } from 'vitest';
import { inCommands } from './command-words.ts';

test.each([
  ['Restore it first: POST /v4/wlm/queues/7/restore.', 'Restore it first: `millrace queue restore 7`.'],
  ['Pause it (POST /v4/wlm/queues/7/pause), then …', 'Pause it (`millrace queue pause 7`), then …'],
  ['POST /v4/wlm/workitemmodels/list lists all.', '`millrace model list` lists all.'],
  ['Register it at POST /v4/wlm/devices.', 'Register it at `millrace device register`.'],
  ['GET /v4/wlm/queues/7/workitems/1001 has it', '`millrace item get 7 1001` has it'],
  ['Log in at POST /v2/authentication.', 'Log in at `millrace login`.'],
  ['PUT /v4/wlm/nothing/7 is no operation', 'PUT /v4/wlm/nothing/7 is no operation'],
])('"%s" is said as "%s"', (message, said) => {
  expect(inCommands(message)).toBe(said);
});
