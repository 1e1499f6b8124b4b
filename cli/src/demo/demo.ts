import { once } from 'node:events';
import type { Client } from '@millrace/api';
import { SingleBar } from 'cli-progress';
import { drawTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { readItems, readTakenBack, sumUp, type Outcome } from './outcome.ts';
import { readRecords, type Records } from './records.ts';
import { killOneAtWork, runnerRole, startRunner, stopRunners, type Runner } from './runners.ts';
import { startDemoServer, type DemoServer } from './server.ts';

const queueName = 'Credit applications';

/** Tells the whole story on the terminal. @throws Error when a record was lost. */
export async function demo(terminal: Terminal, keepsServer: boolean): Promise<void> {
  const { say } = terminal;
  say('Starting a server on a fresh PostgreSQL ...');
  const server = await startDemoServer();
  try {
    const records = readRecords();
    const queueId = await prepareQueue(server.admin, records);
    const { created } = await server.admin.createWorkItemsFromFile({
      path: { id: queueId },
      body: { file: records.file },
    });
    say(`Loaded ${created} real credit applications into the queue "${queueName}".`);
    const { seconds, killed } = await process(terminal, server, queueId);
    const items = await readItems(server.admin, queueId);
    const takenBack = killed ? await readTakenBack(server.admin, items, killed.userId) : [];
    const outcome = sumUp(items, seconds);
    terminal.out(`\n${drawTable(rowsOf(outcome, takenBack.length, created))}`);
    if (outcome.total !== created || outcome.unfinished > 0)
      throw new Error('Some records were lost. That must never be.');
    if (keepsServer) await lookAround(say, server);
  } finally {
    await server.stop();
  }
}

/** The queue, its model from the header of the file, and the right of runners to process it. */
async function prepareQueue(admin: Client, { attributes }: Records): Promise<number> {
  const model = await admin.createWorkItemModel({ body: { name: 'Credit application', attributes } });
  const displayColumns = ['Customer_ID', 'Credit_Amount', 'Duration_in_Months', 'Age'];
  const queue = await admin.createQueue({
    body: { name: queueName, workItemModelId: model.id as number, displayColumns, autoRetryLimit: 2 },
  });
  const path = { id: Number(queue.id) };
  await admin.addQueueConsumer({ path, body: { roleId: await runnerRole(admin) } });
  return path.id;
}

/** How long the processing took, from the first claim to the last report, and which runner did not live to see it. */
interface Processing {
  readonly seconds: number;
  readonly killed: Runner | undefined;
}

/** Has three runners process the queue, and kills one of them half-way. */
async function process(terminal: Terminal, server: DemoServer, queueId: number): Promise<Processing> {
  const names = [1, 2, 3].map((number) => `scoring-runner-${number}`);
  const runners = await Promise.all(names.map((name) => startRunner(server, name, queueName)));
  terminal.say('Started three runners. One of them is killed half-way.\n');
  const bar = new SingleBar({
    format: '{bar} {percentage} % | {value} of {total} | running {running} | failed {failed} | {speed}/s',
    barsize: 30,
    noTTYOutput: !terminal.isLive,
    notTTYSchedule: 2000,
    stream: globalThis.process.stderr,
  });
  try {
    return await watch(server.admin, queueId, bar, async () => {
      const runner = await killOneAtWork(server.admin, queueId, runners);
      if (runner && !terminal.isLive) terminal.say('One runner is killed.');
      return runner;
    });
  } finally {
    bar.stop();
    await stopRunners(runners);
  }
}

type KillOne = () => Promise<Runner | undefined>;

async function watch(admin: Client, queueId: number, bar: SingleBar, killOne: KillOne): Promise<Processing> {
  let startedOn = Date.now();
  let killed: Runner | undefined;
  for (;;) {
    const { counts } = await admin.getQueueStats({ path: { id: queueId } });
    const finished = counts.COMPLETE + counts.FAILED;
    const total = finished + counts.NEW + counts.IN_PROGRESS + counts.DEFERRED;
    // Runners need a second to start; the clock runs from their first claim.
    if (finished + counts.IN_PROGRESS === 0) startedOn = Date.now();
    const seconds = (Date.now() - startedOn) / 1000;
    const payload = {
      running: counts.IN_PROGRESS,
      failed: counts.FAILED,
      speed: seconds > 0 ? Math.round(finished / seconds) : 0,
    };
    if (bar.getTotal() === total) bar.update(finished, payload);
    else bar.start(total, finished, payload);
    if (finished * 2 >= total) killed ??= await killOne();
    if (finished === total) return { seconds, killed };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function rowsOf(outcome: Outcome, takenBack: number, created: number): string[][] {
  const failed = Object.entries(outcome.failed).map(([kind, count]) => [`failed, ${kind}`, String(count)]);
  return [
    ['records in the file', String(created)],
    ['done', String(outcome.done)],
    ...failed,
    ['tried again after a technical failure', String(outcome.retried)],
    ['taken back from the killed runner', String(takenBack)],
    ['items a second', outcome.itemsPerSecond.toFixed(0)],
    ['creation to completion, p50', `${outcome.p50.toFixed(1)} s`],
    ['creation to completion, p99', `${outcome.p99.toFixed(1)} s`],
    ['lost', String(created - outcome.total + outcome.unfinished)],
  ];
}

async function lookAround(say: Terminal['say'], { url, password }: DemoServer): Promise<void> {
  say(
    `\nThe server is still there: ${url}/docs, user admin, password ${password}. Ctrl-C stops it and removes its data.`,
  );
  await Promise.race([once(globalThis.process, 'SIGINT'), once(globalThis.process, 'SIGTERM')]);
}
