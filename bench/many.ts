import { once, setMaxListeners } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { cpuSeconds } from './cpu.ts';
import { machineUnder, medianOf, type Finding, type Machine } from './findings.ts';
import { runLoad } from './load.ts';
import { fill, loadOf, recordsOf, scenarios, type Scenario } from './scenarios.ts';
import { megabytesOf } from './soak.ts';
import type { Stage } from './stage.ts';

/** The options of `npm run bench many`. */
export interface Crowd {
  /** Calls that wait for work. */
  readonly polls: number;
  readonly queues: number;
  readonly seconds: number;
}

const busyQueues = 50;
const cycles = scenarios.filter(({ kind }) => kind === 'cycle');
const arrivals = 200;

/** Many waiting calls, many queues, and the time until a waiting call gets a new item. */
export async function many(
  stage: Stage,
  { polls, queues, seconds }: Crowd,
): Promise<{ machine: Machine; findings: Finding[] }> {
  const machine = machineUnder();
  const ids = await createQueues(stage, queues);
  const latency = await latencies(stage);
  const idle = await idleCost(stage, ids, polls, seconds);
  const busy: Finding[] = [];
  for (const cycle of cycles) busy.push(await spreadOver(stage, cycle, ids.slice(0, busyQueues), seconds));
  const percent = (share: number) => `${(share * 100).toFixed(1)} % of a core`;
  const waiting: Finding = {
    what: `${polls.toLocaleString('en')} calls that wait for work in ${queues} queues, ${seconds} s`,
    found: `server ${percent(idle.server)}, ${idle.before.toFixed(0)} → ${idle.after.toFixed(0)} MB; database ${percent(idle.database)}`,
  };
  const arrival: Finding = {
    what: 'from a create to the claim that waits for it, p50',
    found: `${latency.arrival.toFixed(1)} ms; two bare requests and a commit take ${latency.yardstick.toFixed(1)} ms`,
    goal: 'at most 3 ms more',
  };
  return { machine, findings: [waiting, ...busy, arrival] };
}

/** Further queues of the same model, of which all consumers may claim. */
async function createQueues({ client, queueId }: Stage, count: number): Promise<number[]> {
  const { workItemModelId = 0 } = await client.getQueue({ path: { id: queueId } });
  const role = (await client.listRoles()).list.find(({ name }) => name === 'AAE_Bot Runner');
  const ids: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const { id = 0 } = await client.createQueue({ body: { name: `Queue ${index}`, workItemModelId } });
    await client.addQueueConsumer({ path: { id }, body: { roleId: Number(role?.id) } });
    ids.push(Number(id));
  }
  return ids;
}

/** The cost of waiting calls while nothing comes. */
async function idleCost(stage: Stage, ids: readonly number[], polls: number, seconds: number) {
  const { pids, server } = stage;
  const before = await megabytesOf(pids.server);
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const waiting = Array.from({ length: polls }, async (_, index) => {
    while (!stop.signal.aborted)
      await post(
        `${server}/v4/wlm/queues/${ids[index % ids.length]}/workitems/claim`,
        { count: 1, waitSeconds: 300 },
        { token: stage.tokens[index % stage.tokens.length], agent, signal: stop.signal },
      ).catch((error: Error) => {
        if (!stop.signal.aborted) throw error;
      });
  });
  await pause(10_000);
  const used = async () => [await cpuSeconds(pids.server), await cpuSeconds(pids.postmaster)] as const;
  const from = await used();
  await pause(seconds * 1000);
  const to = await used();
  const after = await megabytesOf(pids.server);
  stop.abort();
  await Promise.all(waiting);
  agent.destroy();
  return { before, after, server: (to[0] - from[0]) / seconds, database: (to[1] - from[1]) / seconds };
}

/** The work done over many queues, as a share of the work done over one. */
async function spreadOver(
  stage: Stage,
  cycle: Scenario,
  ids: readonly number[],
  seconds: number,
): Promise<Finding> {
  const record = recordsOf(cycle.bytes);
  const enough = seconds * (cycle.items === 1 ? 8000 : 40_000) + 10_000;
  const one = loadOf(cycle, stage.queueId, record);
  await fill(stage, enough, record);
  const alone = await runLoad(stage.server, stage.tokens, one, seconds);
  for (const queueId of ids)
    await fill({ ...stage, queueId }, enough / ids.length + 100 * cycle.items, record);
  const spread = {
    ...one,
    steps: one.steps.map(({ path, body }) => ({
      body,
      path: (connection: number) =>
        String(path).replace(`/${stage.queueId}/`, `/${ids[connection % ids.length]}/`),
    })),
  };
  const together = await runLoad(stage.server, stage.tokens, spread, seconds);
  const share = together.items / together.seconds / (alone.items / alone.seconds);
  const what = `${cycle.name}, over ${ids.length} queues at once beside one queue`;
  return { what, found: `${share.toFixed(2)} of the items`, goal: 'at least 0.9' };
}

/** Milliseconds from a create to the answer of a waiting claim, and the time of two bare requests and a commit. */
async function latencies(stage: Stage): Promise<{ arrival: number; yardstick: number }> {
  const agent = new Agent({ keepAlive: true });
  const items = `${stage.server}/v4/wlm/queues/${stage.queueId}/workitems`;
  const [producer, consumer] = [0, 1].map((index) => ({ token: stage.tokens[index], agent }));
  const [taken, bare]: [number[], number[]] = [[], []];
  const database = new pg.Client(stage.connection);
  await database.connect();
  // Not a temporary table: its commits would not wait for the disk.
  await database.query('create table bench_commits (at timestamptz)');
  for (let index = 0; index < arrivals; index += 1) {
    const waiting = post(`${items}/claim`, { count: 1, waitSeconds: 60 }, consumer ?? {});
    await pause(20);
    const sent = performance.now();
    const workItems = [{ json: JSON.parse(recordsOf(200)()) as object }];
    const created = post(items, { workItems }, producer ?? {});
    await waiting;
    taken.push(performance.now() - sent);
    await created;
    const begun = performance.now();
    for (const _ of [1, 2]) await post(`${stage.bare}/`, { workItems }, producer ?? {});
    await database.query('insert into bench_commits values (now())');
    bare.push(performance.now() - begun);
  }
  await database.query('drop table bench_commits');
  await database.end();
  agent.destroy();
  return { arrival: medianOf(taken), yardstick: medianOf(bare) };
}

interface Way {
  readonly token?: string | undefined;
  readonly agent?: Agent;
  readonly signal?: AbortSignal;
}

/** @throws Error when the answer is no success */
async function post(url: string, body: object, { token = '', ...options }: Way): Promise<void> {
  const headers = { 'content-type': 'application/json', 'x-authorization': token };
  const sent = request(url, { method: 'POST', headers, ...options });
  sent.end(JSON.stringify(body));
  const [answer] = (await once(sent, 'response', options.signal && { signal: options.signal })) as [
    IncomingMessage,
  ];
  answer.resume();
  await once(answer, 'end');
  if (answer.statusCode !== 200) throw new Error(`${url} was answered ${answer.statusCode}`);
}
