import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { stringifyJson } from '@millrace/api';
import type { AgentConfig, RunnerEvent } from '@millrace/runner';
import type { Command } from 'commander';
import { clientOptions } from '../access.ts';
import { printFields } from '../answer.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { UsageError, exitCodes } from '../errors.ts';
import { whyUnreadable } from '../files.ts';
import { createLiveLine } from '../live-line.ts';
import { hasLoss, watchRunner } from '../run-watch.ts';
import { oneLine, type Terminal } from '../terminal.ts';

interface AgentFlags extends CallFlags {
  readonly config: string;
  readonly check?: boolean;
}

/** `millrace agent`: works for this machine. */
export function addAgent(program: Command, context: Context): Command {
  const command = program
    .command('agent')
    .summary('Run the bots that the server has work for on this machine')
    .description(
      'Register this machine as a device, ask for work of all its pools, and run the bots that the server names. The ' +
        'configuration, and nothing else, says what command a bot is. Ctrl-C or SIGTERM: no more items, running ones end or are ' +
        'given back; twice: stops at once. With --json, each event is a line of JSON.',
    )
    .requiredOption('--config <file>', 'What the device is and which bots it has, in YAML or JSON')
    .option('--check', 'Only say whether the configuration can be used');
  return addCallFlags(command).action(() => serveDevice(context, command.optsWithGlobals()));
}

async function serveDevice({ config, terminal }: Context, flags: AgentFlags): Promise<void> {
  const { runAgent } = await import('@millrace/runner');
  const agent = await configIn(flags.config);
  const asJson = flags.json === true;
  if (flags.check === true) return sayConfig(terminal, agent, asJson);
  const access = clientOptions({ ...config, url: config.url ?? agent.url }, flags.url);
  const watch = asJson ? writeEvents(terminal) : watchRunner(createLiveLine(terminal), agent.device.hostName);
  try {
    const summary = await runAgent({ ...access, config: agent, onEvent: watch.onEvent });
    watch.end();
    if (!asJson) printFields(terminal, { ...summary });
    if (hasLoss(summary)) process.exitCode = exitCodes.refused;
  } finally {
    watch.end();
  }
}

/** @throws UsageError that names the faults of the file, with their places */
async function configIn(file: string): Promise<AgentConfig> {
  const { ConfigError, readAgentConfig } = await import('@millrace/runner');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(
      `The configuration ${path.resolve(file)} cannot be read: ${whyUnreadable(error)}. Name the file of this machine with ` +
        '--config; how to write one stands in docs/bots.md under "An agent for a device".',
    );
  });
  try {
    return readAgentConfig(text, file);
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message);
    throw error;
  }
}

function sayConfig({ out }: Terminal, { device, bots }: AgentConfig, asJson: boolean): void {
  const names = Object.keys(bots);
  if (asJson) return out(stringifyJson({ ...device, bots: names }));
  out(oneLine(`Device ${device.hostName}, slots: ${String(device.slots)}, bots: ${names.join(', ')}`));
}

/** Writes each event as a line of JSON, without the contents of the items. */
function writeEvents({ out }: Terminal) {
  const onEvent = (event: RunnerEvent) =>
    out(stringifyJson({ on: new Date().toISOString(), ...recordOf(event) }));
  return { onEvent, end: () => undefined };
}

function recordOf(event: RunnerEvent): object {
  if (event.type === 'claimed') {
    return { type: event.type, items: event.items.map(({ id, queueId }) => ({ id, queueId })) };
  }
  if (!('report' in event)) return event;
  const { report, ...rest } = event;
  const { id, status: outcome, failureKind, error, reason } = report;
  // Each line of the log has been an event already.
  return { ...rest, logTail: undefined, id, outcome, failureKind, error, reason };
}
