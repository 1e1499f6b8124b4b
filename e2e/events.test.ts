import { createInterface } from 'node:readline';
import { parseJson, type Schemas } from '@millrace/api';
import { beforeAll, expect, test } from 'vitest';
import { endOfWriters, startApp, type App } from '../server/src/testing/app.ts';
import { createQueue } from '../server/src/testing/fixtures.ts';
import { createHome, millrace, startMillrace } from './millrace.ts';

// As startApp sets it.
const password = 'correct horse battery';
const home = createHome();
let app: App;
let env: Record<string, string>;

beforeAll(async () => {
  app = await startApp();
  env = { MILLRACE_URL: app.url, MILLRACE_USERNAME: 'admin', MILLRACE_PASSWORD: password };
});

test('events prints what happened, the newest events or all of them, for people and for programs', async () => {
  const queue = await createQueue(app, { name: 'Printed' });
  const items = await queue.add(1, 2, 3);
  await endOfWriters(app);
  const events = (...args: string[]) => millrace(home, ['events', '--queue', 'Printed', ...args], { env });
  const newest = await events('--last', '2');
  expect(newest.code, newest.stderr).toBe(0);
  const lines = newest.stdout.trimEnd().split('\n');
  const lineOf = (id: unknown) =>
    expect.stringMatching(new RegExp(`createWorkItems +Printed #${String(id)} +→ NEW  by owner$`));
  expect(lines).toEqual(items.slice(1).map(({ id }) => lineOf(id)));
  const all = await events('--after', '0-0', '--json', '--operation', 'createQueue,createWorkItems');
  const read = all.stdout
    .trimEnd()
    .split('\n')
    .map((line) => parseJson(line) as Schemas['Event']);
  expect(read.map(({ operation }) => operation)).toEqual([
    'createQueue',
    'createWorkItems',
    'createWorkItems',
    'createWorkItems',
  ]);
  const refused = await events('--after', 'yesterday');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('after must be a cursor');
  const unused = await millrace(home, ['events', '--item', '1'], { env });
  expect([unused.code, unused.stderr]).toEqual([2, expect.stringContaining('--item needs --queue')]);
});

test('events prints a time, several queues and kinds of actors, also the newest first', async () => {
  const [one, two] = [await createQueue(app, { name: 'Early' }), await createQueue(app, { name: 'Late' })];
  await one.add(1);
  const [item] = await two.add(2);
  await two.claim(1);
  const events = async (...args: string[]) => {
    const { code, stdout, stderr } = await millrace(home, ['events', '--json', ...args], { env });
    expect(code, stderr).toBe(0);
    const lines = stdout.split('\n').filter(Boolean);
    return lines.map((line) => parseJson(line) as Schemas['Event']);
  };
  const both = ['--queue', 'Early', '--queue', 'Late', '--operation', 'createWorkItems,claimWorkItems'];
  const namesOf = (list: readonly Schemas['Event'][]) => list.map(({ queueName }) => queueName);
  expect(namesOf(await events(...both, '--reverse'))).toEqual(['Late', 'Late', 'Early']);
  expect(namesOf(await events(...both, '--reverse', '--last', '1'))).toEqual(['Late']);
  const ofRunners = await events(...both, '--actor-kind', 'runner', '--from', '1h ago');
  expect(ofRunners.map(({ itemId }) => itemId)).toEqual([item?.id]);
  expect(await events(...both, '--until', '1h ago')).toEqual([]);
  const refusals = [
    [['--follow', '--from', '1h ago'], '--follow goes on with what happens'],
    [['--reverse', '--after', '0-0'], '--reverse begins with the newest'],
    [['--item', '1', '--queue', 'Early', '--queue', 'Late'], '--item needs --queue'],
    [['--from', 'once'], '"once" cannot be read as a time'],
    [['--actor-kind', 'robot'], 'Give USER, RUNNER, MILLRACE'],
  ] as const;
  for (const [args, message] of refusals) {
    const { code, stderr } = await millrace(home, ['events', ...args], { env });
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
  }
});

test('events --follow goes on through a restart of the server, and ends with Ctrl-C', async () => {
  const stopping = await startApp({}, app.connection);
  const queue = await createQueue(app, { name: 'Followed' });
  await endOfWriters(app);
  const args = ['events', '--follow', '--json', '--queue', 'Followed', '--last', '1'];
  const { process: child, ended, said } = startMillrace(home, args, { ...env, MILLRACE_URL: stopping.url });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => parseJson(String((await lines.next()).value)) as Schemas['Event'];
  expect((await next()).operation).toBe('addQueueConsumer');
  const [one] = await queue.add(1);
  expect((await next()).itemId).toBe(one?.id);
  await stopping.stop();
  const [two] = await queue.add(2);
  const { port } = new URL(stopping.url);
  await startApp({ port: Number(port) }, app.connection);
  expect((await next()).itemId).toBe(two?.id);
  child.kill('SIGINT');
  expect((await ended).code, said()).toBe(130);
});
