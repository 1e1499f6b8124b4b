import { describeEvent } from './describe.ts';
import { addEvent, nothingDone, type Emit, type RunnerEvent } from './events.ts';
import type { Stop } from './signals.ts';

/** Counts events and passes them on. A watcher that throws must not cost items: the runner drains, and reports the error afterwards. */
export function createWatch(onEvent: Emit = writeEvent, stop: Stop) {
  let summary = nothingDone;
  let fault: unknown;
  const emit: Emit = (event) => {
    summary = addEvent(summary, event);
    try {
      onEvent(event);
    } catch (error) {
      fault ??= error;
      stop.end();
    }
  };
  return { emit, summary: () => summary, fault: () => fault };
}

function writeEvent(event: RunnerEvent): void {
  const line = describeEvent(event);
  if (line !== undefined) process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}
