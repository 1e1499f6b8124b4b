/**
 * `npx tsx bench/bots.ts`: the speed of a bot that has nothing to do, in items a second, with a process for each item and with warm
 * processes. Absolute figures, which say little about other machines; their ratio says more.
 */
import { cpus } from 'node:os';
import type { Id } from '@millrace/api';
import { runCommand, type RunnerEvent } from '@millrace/runner';
import { fill, recordsOf } from './scenarios.ts';
import { password, withStage, type Stage } from './stage.ts';

const slots = 4;
const cold = `process.stdin.resume().on('end', () => process.stdout.write('{}'));`;
const warm = `require('node:readline').createInterface({ input: process.stdin }).on('line', (line) =>
  process.stdout.write(JSON.stringify({ id: JSON.parse(line).id, status: 'COMPLETE' }) + '\\n'));`;

const ways = [
  { name: 'a shell for each item', command: ['sh', '-c', 'cat > /dev/null'], warm: false, items: 2_000 },
  { name: 'a Node.js for each item', command: [process.execPath, '-e', cold], warm: false, items: 300 },
  { name: 'a Node.js kept warm', command: [process.execPath, '-e', warm], warm: true, items: 20_000 },
];

async function compare(stage: Stage): Promise<void> {
  console.log(
    `${String(cpus().length)} cores (${cpus()[0]?.model ?? ''}), Node.js ${process.version}, ${String(slots)} slots`,
  );
  for (const { items, ...way } of ways) {
    await fill(stage, items, recordsOf(200));
    const rate = await rateOf(stage.server, stage.queueId, { ...way, items });
    console.log(`${way.name}: ${rate.toFixed(0)} items a second`);
  }
}

/** Items a second from the first report to the last, so that starting does not count. */
async function rateOf(url: string, queue: Id, way: (typeof ways)[number]): Promise<number> {
  const stop = new AbortController();
  let done = 0;
  let startedOn = 0;
  let seconds = 0;
  const onEvent = ({ type }: RunnerEvent) => {
    if (type !== 'reported') return;
    if (done === 0) startedOn = performance.now();
    done += 1;
    if (done === way.items) seconds = (performance.now() - startedOn) / 1000;
    if (done >= way.items) stop.abort();
  };
  const { command, warm: isWarm } = way;
  await runCommand({
    url,
    username: 'admin',
    password,
    queue,
    slots,
    command,
    warm: isWarm,
    onEvent,
    signal: stop.signal,
  });
  return (way.items - 1) / seconds;
}

await withStage(compare);
