import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseJson, type Id } from '@millrace/api';
import { beforeAll, expect, test } from 'vitest';
import { startApp, type App } from '../server/src/testing/app.ts';
import { createHome, millrace, startMillrace } from './millrace.ts';
import { createBotUser, createWork, numbered } from './work.ts';

const home = createHome();
const config = path.join(home, 'agent.yaml');
let app: App;
let env: Record<string, string>;

beforeAll(async () => {
  app = await startApp();
  const { username, apiKey } = await createBotUser(app, 'runner');
  env = { MILLRACE_URL: app.url, MILLRACE_USERNAME: username, MILLRACE_API_KEY: apiKey };
});

test('agent --check says what the device is, or what is wrong and where, and calls nobody', async () => {
  writeFileSync(
    config,
    'device: { hostName: runner-01, slots: 2 }\nbots: { score: { command: [./score] } }\n',
  );
  const good = await millrace(home, ['agent', '--config', config, '--check']);
  expect(good).toMatchObject({ code: 0, stdout: 'Device runner-01, slots: 2, bots: score\n' });
  const asJson = await millrace(home, ['agent', '--config', config, '--check', '--json']);
  expect(parseJson(asJson.stdout)).toEqual({ hostName: 'runner-01', slots: 2, bots: ['score'] });
  writeFileSync(config, 'bots:\n  score:\n    comand: [./score]\n');
  const bad = await millrace(home, ['agent', '--config', config, '--check']);
  expect(bad).toMatchObject({ code: 2, stdout: '' });
  expect(bad.stderr).toContain(`${config}:3:5: bots.score.comand is not a known member`);
  expect(bad.stderr).toContain(`${config}:2:3: bots.score.command is missing`);
  const missing = await millrace(home, ['agent', '--config', `${config}.bak`, '--check']);
  expect(missing).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      `${config}.bak cannot be read: there is no such file. Name the file of this machine with --config`,
    ),
  });
});

test('agent does the work of its device, tells events as lines of JSON, and ends at SIGTERM', async () => {
  const work = await createWork(app, 'Counted', numbered(2));
  writeFileSync(
    config,
    `device: { hostName: runner-02 }\nbots: { count: { command: [sh, -c, 'cat > /dev/null; echo "{}"'] } }\n`,
  );
  const agent = startMillrace(home, ['agent', '--config', config, '--json'], env);
  let written = '';
  agent.process.stdout.on('data', (part: string) => (written += part));
  const events = () =>
    written
      .split('\n')
      .slice(0, -1)
      .map((line) => parseJson(line) as Record<string, unknown>);
  const isRegistered = () => events().find(({ type }) => type === 'registered')?.['deviceId'] as Id;
  await expect.poll(isRegistered).toBeDefined();
  const pool = await app.admin.createPool({ body: { name: 'Counters', deviceIds: [isRegistered()] } });
  await app.admin.createAutomation({
    body: { name: 'Count', queueId: work.queueId, poolId: pool.body.id, botName: 'count' },
  });
  await expect.poll(work.statuses).toEqual({ COMPLETE: 2 });
  agent.process.kill('SIGTERM');
  expect(await agent.ended).toMatchObject({ code: 0, stderr: '' });
  const reported = events().filter(({ type }) => type === 'reported');
  expect(reported).toHaveLength(2);
  expect(reported[0]).toMatchObject({ outcome: 'COMPLETE', status: 'COMPLETE', on: expect.any(String) });
  expect(events().at(-1)).toMatchObject({ type: 'stopped', summary: { completed: 2 } });
  // The log must not show the data of items.
  expect(written).not.toContain('"n":');
});
