import type { Client } from '@millrace/api';
import { SingleBar } from 'cli-progress';
import { drawTable } from '../../table.ts';
import type { Ending, Stage } from '../../stage.ts';
import { readItems, readTakenBack, sumUp, type Outcome } from './outcome.ts';
import { readRecords, type Records } from './records.ts';
import { killOneAtWork, runnerRole, startRunners, type Runner } from './runners.ts';

const queueName = 'Credit applications';

/** Real records through one queue, and a runner that is killed. */
export async function tellRecords(stage: Stage): Promise<Ending> {
  const { terminal, server } = stage;
  const records = readRecords();
  const queueId = await prepareQueue(server.admin, records);
  const { created } = await server.admin.createWorkItemsFromFile({
    path: { id: queueId },
    body: { file: records.file },
  });
  terminal.say(`Loaded ${created} real credit applications into the queue "${queueName}".`);
  const { seconds, killed } = await process(stage, queueId);
  const items = await readItems(server.admin, queueId);
  const takenBack = killed ? await readTakenBack(server.admin, items, killed.userId) : [];
  const outcome = sumUp(items, seconds);
  const lost = created - outcome.total + outcome.unfinished;
  const sums = { records: created, ...outcome, takenBack: takenBack.length, lost };
  const wrongs = lost === 0 ? [] : [`Of ${created} records ${lost} were lost.`];
  return { text: drawTable(rowsOf(sums)), record: sums, wrongs };
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

/** The length of the processing, from the first claim to the last report, and the runner that did not live to see it. */
interface Processing {
  readonly seconds: number;
  readonly killed: Runner | undefined;
}

/** Has three runners process the queue, and kills one of them half-way. */
async function process(stage: Stage, queueId: number): Promise<Processing> {
  const { terminal, server, signal } = stage;
  const names = [1, 2, 3].map((number) => `scoring-runner-${number}`);
  const runners = await startRunners(stage, names, queueName);
  terminal.say('Started three runners. One of them is killed half-way.\n');
  const bar = new SingleBar({
    format: '{bar} {percentage} % | {value} of {total} | running {running} | failed {failed} | {speed}/s',
    barsize: 30,
    noTTYOutput: !terminal.isLive,
    notTTYSchedule: 2000,
    stream: globalThis.process.stderr,
  });
  signal.addEventListener('abort', () => bar.stop());
  try {
    return await watch(stage, queueId, bar, async () => {
      const runner = await killOneAtWork(server.admin, queueId, runners);
      if (runner && !terminal.isLive) terminal.say('One runner is killed.');
      return runner;
    });
  } finally {
    bar.stop();
  }
}

type KillOne = () => Promise<Runner | undefined>;

async function watch(stage: Stage, queueId: number, bar: SingleBar, killOne: KillOne): Promise<Processing> {
  const { server, signal } = stage;
  let startedOn = Date.now();
  let killed: Runner | undefined;
  for (;;) {
    signal.throwIfAborted();
    const { counts } = await server.admin.getQueueStats({ path: { id: queueId } });
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

/** The outcome of the records, for people and programs. */
interface Sums extends Outcome {
  readonly records: number;
  readonly takenBack: number;
  readonly lost: number;
}

function rowsOf(sums: Sums): string[][] {
  const failed = Object.entries(sums.failed).map(([kind, count]) => [`failed, ${kind}`, String(count)]);
  return [
    ['records in the file', String(sums.records)],
    ['done', String(sums.done)],
    ...failed,
    ['tried again after a technical failure', String(sums.retried)],
    ['taken back from the killed runner', String(sums.takenBack)],
    ['items a second', sums.itemsPerSecond.toFixed(0)],
    ['creation to completion, p50', `${sums.p50.toFixed(1)} s`],
    ['creation to completion, p99', `${sums.p99.toFixed(1)} s`],
    ['lost', String(sums.lost)],
  ];
}
