import { pause } from '../backoff.ts';
import { createBot, type Bot } from '../bots/bot.ts';
import { GiveBack, RunnerFault } from '../errors.ts';
import type { Emit } from '../events.ts';
import type { Handler, WorkItem } from '../item.ts';
import type { AgentConfig } from './config.ts';
import { registerAgain, type Device } from './device.ts';

/** The bots of a device. */
export interface Bots {
  /** Names of the bots that can be started here. */
  readonly names: () => string[];
  /** The handler of an item: the bot that the server names, as configured. */
  readonly handlerOf: (item: WorkItem, device: Device) => Handler;
  /** Ends the processes that wait for items. */
  readonly end: () => Promise<void>;
}

// Time for the server to send such items elsewhere, before this device asks for more.
const returnSeconds = 1;

export function createBots(config: AgentConfig, maxOutputBytes: number, emit: Emit): Bots {
  const { hostName } = config.device;
  const bots = botsOf(config, maxOutputBytes, emit);
  // Bots that cannot be started here: their items would keep coming back.
  const withdrawn = new Set<string>();
  // Names that this agent never registered.
  const foreign = new Set<string>();
  const handlerOf = ({ botName = '' }: WorkItem, device: Device): Handler => {
    const bot = bots.get(botName);
    if (bot === undefined) {
      if (!foreign.has(botName)) emit({ type: 'note', text: sharedName(hostName, botName) });
      foreign.add(botName);
      return giveBack(device, `unknown bot "${botName}" on device ${hostName}`);
    }
    return async (item, tools) => {
      try {
        return await bot.handle(item, tools);
      } catch (error) {
        if (!(error instanceof RunnerFault)) throw error;
        withdrawn.add(botName);
        return giveBack(device, `bot "${botName}" on device ${hostName}: ${error.message}`)(item, tools);
      }
    };
  };
  const names = () => [...bots.keys()].filter((name) => !withdrawn.has(name));
  const end = async () => {
    await Promise.all([...bots.values()].map((bot) => bot.end()));
  };
  return { names, handlerOf, end };
}

function botsOf(config: AgentConfig, maxOutputBytes: number, emit: Emit): Map<string, Bot> {
  const entries = Object.entries(config.bots).map(([name, settings]): [string, Bot] => {
    const note = (text: string) => emit({ type: 'note', text: `bot ${name}: ${text}` });
    return [name, createBot(settings, maxOutputBytes, note)];
  });
  return new Map(entries);
}

/** The warning about another agent with the same host name: the server sends a device only items for bots that it registered last. */
function sharedName(hostName: string, botName: string): string {
  return (
    `WARNING: the server takes this device for one that runs the bot "${botName}". Another agent registers as ${hostName}, and each ` +
    "undoes what the other has said. Give each agent a hostName of its own, or one agent the other's bots."
  );
}

/** Returns an item that cannot be done here, and registers again with the bots that can run. */
function giveBack(device: Device, reason: string): Handler {
  return async (_, { signal }) => {
    await Promise.all([registerAgain(device).catch(() => undefined), pause(returnSeconds, signal)]);
    throw new GiveBack(reason);
  };
}
