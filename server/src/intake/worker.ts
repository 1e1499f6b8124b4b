import { parentPort } from 'node:worker_threads';
import { toRefusal, type Refusal } from '../engine/errors.ts';
import { readFile, type Job, type SampleJob, type Told } from './portions.ts';
import { readSample } from './sample.ts';

/** An order to the thread: to read a file, or to send one more report. */
export type Order = { readonly job: Job | SampleJob } | 'next';

/** An answer of the thread: a report on the file, its end, or the reason why it cannot be read. */
export type Answer =
  | { readonly told: Told }
  | { readonly end: true }
  | { readonly refusal: ReturnType<Refusal['toJSON']> }
  | { readonly failure: Error };

const port = parentPort;
if (!port) throw new Error('This file is run as a thread.');

/** Number of further reports that may be sent before they are asked for. */
let room = 0;
let goOn: () => void = () => undefined;

port.on('message', (order: Order) => {
  if (order !== 'next') return void read(order.job);
  room += 1;
  goOn();
});

/** Reads one file; the next comes after it is done. */
async function read(job: Job | SampleJob): Promise<void> {
  room = 0;
  try {
    for await (const told of job.purpose === 'sample' ? readSample(job) : readFile(job)) {
      port?.postMessage({ told } satisfies Answer);
      if (room === 0) await untilRoom();
      room -= 1;
    }
    port?.postMessage({ end: true } satisfies Answer);
  } catch (error) {
    const refusal = toRefusal(error);
    // Between threads an error loses its own members, such as the code of a full disk.
    const answer: Answer =
      refusal.code === 'FAILURE' ? { failure: error as Error } : { refusal: refusal.toJSON() };
    port?.postMessage(answer);
  }
}

function untilRoom(): Promise<void> {
  return new Promise((resolve) => {
    goOn = resolve;
  });
}
