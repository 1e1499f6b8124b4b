import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, type Client } from '@millrace/api';
import { afterAll, expect, test } from 'vitest';
import { isAlive } from '../runner/src/bots/alive.fixture.ts';
import { freePort } from '../server/src/postgres/free-port.ts';
import { createDatabase } from '../server/src/testing/app.ts';
import { descendantsOf } from './history/processes.ts';
import { urlOf } from './history/server.ts';
import { createHome, startMillrace, type Running } from './millrace.ts';

const password = 'correct horse battery';
const started = new Set<number>();

// The processes that a failing test has left running.
afterAll(() => [...started].filter(isAlive).forEach((pid) => process.kill(pid, 'SIGKILL')));

interface Several extends Running {
  readonly url: string;
  readonly admin: Client;
  /** The parent of the processes that serve. */
  readonly parent: number;
  /** The processes that serve, or are about to. */
  readonly serving: () => number[];
}

async function serveInSeveral(env: Record<string, string> = {}): Promise<Several> {
  const port = await freePort();
  const settings = {
    MILLRACE_PROCESSES: '2',
    MILLRACE_DATABASE_URL: urlOf(await createDatabase()),
    MILLRACE_ALLOW_LOSS: 'yes',
    MILLRACE_ADMIN_PASSWORD: password,
    MILLRACE_LOG_LEVEL: 'warn',
    ...env,
  };
  const running = startMillrace(createHome(), ['serve', '--port', String(port)], settings);
  await expect.poll(running.said).toContain('Stop it with Ctrl-C.');
  const below = descendantsOf(running.process.pid ?? 0);
  for (const pid of below) started.add(pid);
  const parent = below.find((pid) => /server\/(src|dist)\/main\./.test(commandOf(pid))) ?? 0;
  const serving = () => descendantsOf(parent).filter((pid) => commandOf(pid).includes('processes/process.'));
  const url = `http://127.0.0.1:${port}`;
  const admin = createClient({ url, username: 'admin', password, fetch: onFreshConnection });
  return { ...running, url, admin, parent, serving };
}

/** Idle connections are waited for when a process leaves. */
const onFreshConnection: typeof fetch = (target, options) => {
  const headers = new Headers(options?.headers);
  headers.set('connection', 'close');
  return fetch(target, { ...options, headers });
};

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

async function stop(server: Several): Promise<void> {
  server.process.kill('SIGTERM');
  expect((await server.ended).code, server.said()).toBe(0);
}

interface Answered {
  readonly status: number;
  readonly body: string;
}

/** One request, which is never tried again. */
async function send(agent: Agent | false, url: string, token: string, body?: object): Promise<Answered> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const sent = request(url, { agent, method: body ? 'POST' : 'GET', headers });
  sent.end(body && JSON.stringify(body));
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, body: await textOf(answer) };
}

async function createQueue(admin: Client): Promise<number> {
  const model = await admin.createWorkItemModel({ body: { name: 'm', attributes: [{ name: 'a' }] } });
  const queue = await admin.createQueue({ body: { name: 'q', workItemModelId: Number(model.id) } });
  const { list } = await admin.listRoles();
  const roleId = Number(list.find(({ name }) => name === 'AAE_Admin')?.id);
  await admin.addQueueConsumer({ path: { id: Number(queue.id) }, body: { roleId } });
  return Number(queue.id);
}

test('serve with several processes is restarted one after the other, and callers lose nothing', async () => {
  const server = await serveInSeveral();
  const { admin, url } = server;
  const { token } = await admin.logIn({ body: { username: 'admin', password } });
  const queueId = await createQueue(admin);
  const before = server.serving();
  expect(before).toHaveLength(2);
  expect(server.said().match(/Millrace is running/g)).toHaveLength(1);

  const over = new AbortController();
  const outcomes: string[] = [];
  const repeat = async (call: () => Promise<string>) => {
    // No caller may get an error.
    while (!over.signal.aborted) outcomes.push(await call().catch((error: Error) => error.message));
  };
  const keepAlive = Array.from({ length: 4 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const list = `${url}/v4/wlm/queues/list`;
  const statusOf = async (agent: Agent | false) => {
    const { status } = await send(agent, list, token, {});
    // Not to keep the machine busy.
    await sleep(50);
    return `list ${status}`;
  };
  const claim = async () => {
    const target = `${url}/v4/wlm/queues/${queueId}/workitems/claim`;
    const { status, body } = await send(false, target, token, { count: 1, waitSeconds: 20 });
    return `claim ${status} ${(JSON.parse(body) as { list: unknown[] }).list.length}`;
  };
  const follow = async () => {
    const { status } = await send(false, `${url}/v4/wlm/events/stream`, token);
    return `stream ${status}`;
  };
  const callers = [
    ...keepAlive.map((agent) => repeat(() => statusOf(agent))),
    ...[1, 2].map(() => repeat(() => statusOf(false))),
    ...[1, 2].map(() => repeat(claim)),
    repeat(follow),
  ];
  server.process.kill('SIGUSR2');
  await expect.poll(server.said).toContain('All server processes are new ones.');
  for (const pid of server.serving()) started.add(pid);
  expect(server.serving().filter((pid) => before.includes(pid))).toEqual([]);
  expect((await onFreshConnection(`${url}/health/ready`)).status).toBe(200);
  over.abort();
  // Later ones may come from the stop, which takes the port away.
  const answered = new Set(outcomes);
  await stop(server);
  await Promise.all(callers);
  for (const agent of keepAlive) agent.destroy();
  expect([...answered].toSorted()).toEqual(['claim 200 0', 'list 200', 'stream 200']);
});

test('serve with several processes has one that was killed followed by another, counts streams over all, and leaves nothing when its parent is killed', async () => {
  const server = await serveInSeveral({ MILLRACE_MAX_STREAMS: '4' });
  const { admin, url } = server;
  const { token } = await admin.logIn({ body: { username: 'admin', password } });
  const stream = () => {
    const opened = request(`${url}/v4/wlm/events/stream`, {
      agent: false,
      headers: { authorization: `Bearer ${token}` },
    });
    // A cut connection is no fault of this test.
    opened.on('error', () => undefined);
    opened.end();
    return once(opened, 'response') as Promise<[IncomingMessage]>;
  };
  const opened = [await stream(), await stream(), await stream()];
  expect(opened.map(([{ statusCode }]) => statusCode)).toEqual([200, 200, 200]);
  for (const [answer] of opened) answer.on('error', () => undefined).resume();
  const [refused] = await stream();
  expect([refused.statusCode, await textOf(refused)]).toEqual([
    503,
    expect.stringContaining('Your tenant reads 3 streams already'),
  ]);

  const [killed = 0] = server.serving();
  process.kill(killed, 'SIGKILL');
  await expect
    .poll(server.said)
    .toContain(`(${killed}) ended with SIGKILL; another one is started.\nServer process`);
  expect(server.said()).toMatch(/Server process \d serves again \(\d+\)\./);
  const all = server.serving();
  for (const pid of all) started.add(pid);
  expect([all.length, all.includes(killed)]).toEqual([2, false]);
  // The streams of the killed process no longer count for the tenant.
  await expect.poll(async () => (await stream())[0].resume().statusCode).toBe(200);
  await expect
    .poll(async () => (await onFreshConnection(`${url}/health/ready`)).text())
    .not.toContain('PROCESSES_MISSING');

  process.kill(server.parent, 'SIGKILL');
  await server.ended;
  await expect.poll(() => all.filter(isAlive)).toEqual([]);
});

async function textOf(answer: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const piece of answer) text += String(piece);
  return text;
}
