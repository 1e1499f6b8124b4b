import { homedir } from 'node:os';
import path from 'node:path';

/** The settings of the command line, all from the environment, which only this file reads. */
export interface Config {
  /** MILLRACE_URL: the address of the server. */
  readonly url: string | undefined;
  /** MILLRACE_USERNAME, with MILLRACE_PASSWORD or MILLRACE_API_KEY: the caller, without a log-in before. */
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly apiKey: string | undefined;
  /** Folder of the kept log-in: MILLRACE_CONFIG, or `millrace` in XDG_CONFIG_HOME or in ~/.config. */
  readonly folder: string;
  /** Neither colour nor animation: NO_COLOR, CI or a dumb terminal. */
  readonly isPlain: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the settings of the command line; an empty variable counts as none. */
export function readConfig(environment: Environment = process.env): Config {
  const set = (name: string) => environment[name] || undefined;
  const base = set('XDG_CONFIG_HOME') ?? path.join(set('HOME') ?? homedir(), '.config');
  return {
    url: set('MILLRACE_URL'),
    username: set('MILLRACE_USERNAME'),
    password: set('MILLRACE_PASSWORD'),
    apiKey: set('MILLRACE_API_KEY'),
    folder: path.resolve(set('MILLRACE_CONFIG') ?? path.join(base, 'millrace')),
    isPlain: isOn(set('NO_COLOR')) || isOn(set('CI')) || set('TERM') === 'dumb',
  };
}

/** The environment of this process with these settings in it, for a process that it starts. */
export function environmentWith(
  settings: Environment,
  environment: Environment = process.env,
): NodeJS.ProcessEnv {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return { ...environment, ...Object.fromEntries(given) };
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== 'false' && value !== '0';
}
