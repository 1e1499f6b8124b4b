import type { RunnerEvent, Summary } from '@millrace/runner';
import type { LiveLine } from './live-line.ts';
import { idleStatus, statusAfter, statusLine } from './run-status.ts';
import { oneLine } from './terminal.ts';

const redrawMs = 250;

/** Shows the work of a runner: events as lines, and its present state on the live line, under a title. */
export function watchRunner(line: LiveLine, title: string) {
  const startedOn = Date.now();
  let status = idleStatus;
  const draw = () => line.update(statusLine(oneLine(title), status, (Date.now() - startedOn) / 1000));
  const clock = setInterval(draw, redrawMs);
  const describe = import('@millrace/runner').then(({ describeEvent }) => describeEvent);
  return {
    onEvent: (event: RunnerEvent) => {
      status = statusAfter(status, event);
      void describe.then((lineOf) => sayEvent(line, lineOf(event)));
    },
    end: () => {
      clearInterval(clock);
      line.end();
    },
  };
}

function sayEvent(line: LiveLine, text: string | undefined): void {
  if (text !== undefined) line.say(`${new Date().toISOString()} ${oneLine(text)}`);
}

/** Whether some finished work has no report at the server. */
export function hasLoss({ refused, unreported }: Summary): boolean {
  return refused > 0 || unreported > 0;
}
