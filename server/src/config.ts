import path from 'node:path';

/** What an installation can set. Every value comes from the environment, and only this file reads it. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Folder of the embedded database. */
  readonly dataFolder: string;
  /** Connection string of one's own PostgreSQL; without it the embedded one runs. */
  readonly databaseUrl: string | undefined;
  /** Connections to PostgreSQL that requests share. */
  readonly databaseConnections: number;
  /** Password of the first user, `admin`; without it one is made up and printed once. */
  readonly adminPassword: string | undefined;
  readonly maxBodyBytes: number;
  readonly maxFileBytes: number;
  /** Streams of events that are open at the same time. */
  readonly maxStreams: number;
  /** How long one statement of a read may take. */
  readonly maxReadSeconds: number;
  readonly logLevel: string;
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

type Read<T> = (value: string, name: string) => T;

const settings = {
  MILLRACE_HOST: setting('host', '127.0.0.1', text),
  MILLRACE_PORT: setting('port', '8080', wholeNumber(0, 65_535)),
  MILLRACE_DATA: setting('dataFolder', './data', (value) => path.resolve(value)),
  MILLRACE_DATABASE_URL: setting('databaseUrl', undefined, databaseUrl),
  MILLRACE_DATABASE_CONNECTIONS: setting('databaseConnections', '10', wholeNumber(2, 1000)),
  MILLRACE_ADMIN_PASSWORD: setting('adminPassword', undefined, password),
  MILLRACE_MAX_BODY_BYTES: setting('maxBodyBytes', String(16 * 1024 * 1024), wholeNumber(1024, 2 ** 30)),
  MILLRACE_MAX_FILE_BYTES: setting('maxFileBytes', String(256 * 1024 * 1024), wholeNumber(1024, 2 ** 40)),
  MILLRACE_MAX_STREAMS: setting('maxStreams', '200', wholeNumber(0, 100_000)),
  MILLRACE_MAX_READ_SECONDS: setting('maxReadSeconds', '8', wholeNumber(1, 60)),
  MILLRACE_LOG_LEVEL: setting('logLevel', 'info', oneOf(logLevels)),
};

/** Names that other Millrace programs read from the same environment. */
const namesOfClients = [
  'MILLRACE_URL',
  'MILLRACE_USERNAME',
  'MILLRACE_PASSWORD',
  'MILLRACE_API_KEY',
  'MILLRACE_CONFIG',
];

/**
 * Reads the settings that begin with MILLRACE_.
 * @throws Error that names each unknown or unusable setting.
 */
export function readConfig(environment: Record<string, string | undefined> = process.env): Config {
  const problems = Object.keys(environment)
    .filter((name) => name.startsWith('MILLRACE_') && !(name in settings) && !namesOfClients.includes(name))
    .map((name) => `${name} is not a setting. Known are: ${Object.keys(settings).join(', ')}.`);
  const config: Record<string, unknown> = {};
  for (const [name, { member, fallback, read }] of Object.entries(settings)) {
    const value = environment[name] || fallback;
    try {
      config[member] = value === undefined ? undefined : read(value, name);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return config as unknown as Config;
}

function setting<T>(member: keyof Config, fallback: string | undefined, read: Read<T>) {
  return { member, fallback, read };
}

function text(value: string): string {
  return value;
}

function wholeNumber(lowest: number, highest: number): Read<number> {
  return (value, name) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= lowest && number <= highest) return number;
    throw new Error(`${name} must be a whole number from ${lowest} to ${highest}, not "${value}".`);
  };
}

function oneOf(choices: string[]): Read<string> {
  return (value, name) => {
    if (choices.includes(value)) return value;
    throw new Error(`${name} must be one of ${choices.join(', ')}, not "${value}".`);
  };
}

// The values below are secrets: a message names the setting, never what it holds.
function databaseUrl(value: string, name: string): string {
  // A Unix socket has no host before the path; the driver takes that, the URL of the web does not.
  if (/^postgres(ql)?:\/\//.test(value) && URL.canParse(value.replace('@/', '@localhost/'))) return value;
  throw new Error(
    `${name} must be an address that begins with postgresql://, as in postgresql://user:password@host:5432/millrace.`,
  );
}

function password(value: string, name: string): string {
  if (value.length >= 8) return value;
  throw new Error(`${name} must have at least 8 characters.`);
}
