import { inheritedEnvironment } from '../config.ts';
import type { Handler } from '../item.ts';
import { checkRange } from '../options.ts';
import { coldHandler } from './cold.ts';
import type { Command } from './command.ts';
import { createWarmBot, type WarmLimits } from './warm.ts';

/** A command as a bot. */
export interface BotSettings {
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[];
  /** Folder to run it in. */
  readonly cwd?: string | undefined;
  /** Added to the environment of the runner, from which the MILLRACE_ settings are taken out. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The time limit for one item; 3600 when left out. */
  readonly timeoutSeconds?: number | undefined;
  /** Between asking a command to end and killing it; from 0 to 10; 5 when left out. */
  readonly killGraceSeconds?: number | undefined;
  /** The exit code that means: failed on business grounds, do not try again; 65 (EX_DATAERR) when left out. */
  readonly businessExitCode?: number | undefined;
  /** Whether a process does many items one after another, instead of one process each. */
  readonly warm?: boolean | WarmSettings | undefined;
}

/** The limits on the life of a process. */
export interface WarmSettings {
  /** Items that one process does; 10,000 when left out. */
  readonly maxItems?: number | undefined;
  /** The longest wait for the next item; 300 when left out. */
  readonly idleSeconds?: number | undefined;
}

/** A bot at work. */
export interface Bot {
  readonly handle: Handler;
  /** Ends the processes that wait for items. */
  readonly end: () => Promise<void>;
}

/**
 * @param note called with a process's output outside of items
 * @throws RangeError that names the setting
 */
export function createBot(settings: BotSettings, maxOutputBytes: number, note: (text: string) => void): Bot {
  const { warm, businessExitCode = 65 } = settings;
  const command = commandOf(settings, maxOutputBytes);
  checkRange('businessExitCode', businessExitCode, 1, 255);
  if (warm === undefined || warm === false)
    return { handle: coldHandler(command, businessExitCode), end: () => Promise.resolve() };
  return createWarmBot(command, warmLimits(warm === true ? {} : warm), note);
}

function commandOf(settings: BotSettings, maxOutputBytes: number): Command {
  const { command, cwd, env, timeoutSeconds = 3600, killGraceSeconds = 5 } = settings;
  if (command.length === 0 || command[0] === '')
    throw new RangeError('command is empty; give a program to run.');
  checkRange('timeoutSeconds', timeoutSeconds, 0.001, 2_000_000);
  checkRange('killGraceSeconds', killGraceSeconds, 0, 10);
  const environment = { ...inheritedEnvironment(), ...env };
  return { command, cwd, env: environment, timeoutSeconds, killGraceSeconds, maxOutputBytes };
}

function warmLimits({ maxItems = 10_000, idleSeconds = 300 }: WarmSettings): WarmLimits {
  checkRange('maxItems', maxItems, 1, 1_000_000_000);
  checkRange('idleSeconds', idleSeconds, 0, 2_000_000);
  return { maxItems, idleSeconds };
}
