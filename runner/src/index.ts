/** Bots for Millrace: an SDK for bots in TypeScript, runners of any command, and the agent of a device. */
export { runAgent, type AgentOptions } from './agent/agent.ts';
export { ConfigError, readAgentConfig, type AgentConfig } from './agent/config.ts';
export { describeEvent } from './describe.ts';
export {
  BusinessError,
  Cancelled,
  Defer,
  GiveBack,
  LeaseLost,
  RunnerFault,
  RunnerStopped,
} from './errors.ts';
export type { RunnerEvent, Summary } from './events.ts';
export type { Handler, Report, Work, WorkItem } from './item.ts';
export type { RunOptions } from './options.ts';
export { runCommand, type CommandOptions } from './run-command.ts';
export { run } from './run.ts';
