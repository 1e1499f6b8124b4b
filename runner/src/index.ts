/** Bots for Millrace: an SDK for bots in TypeScript, and whatever runs any command as a bot. */
export { runCommand, type CommandOptions } from './run-command.ts';
export {
  BusinessError,
  Cancelled,
  Defer,
  GiveBack,
  LeaseLost,
  RunnerFault,
  RunnerStopped,
} from './errors.ts';
export { describeEvent } from './describe.ts';
export type { RunnerEvent, Summary } from './events.ts';
export type { Handler, Report, Work, WorkItem } from './item.ts';
export type { RunOptions } from './options.ts';
export { run } from './run.ts';
