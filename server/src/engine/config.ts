import { isIP } from 'node:net';
import path from 'node:path';

/** The settings of an installation. Every value comes from the environment, and only this file reads it. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Folder of the embedded database. */
  readonly dataFolder: string;
  /** Connection string of the operator's own PostgreSQL; without it the embedded one runs. */
  readonly databaseUrl: string | undefined;
  /** Connection string for migrations and for listening, which no pooler may share between transactions. */
  readonly databaseDirectUrl: string | undefined;
  /** Whether to run on a database that loses acknowledged work in a crash. */
  readonly allowLoss: boolean;
  /** Number of serving processes; undefined for as many as suit the machine. */
  readonly processes: number | undefined;
  /** Connections to PostgreSQL shared by requests, of all processes together; undefined for as many as suit them. */
  readonly databaseConnections: number | undefined;
  /** Password of the first user, `admin`; without it one is generated and printed once. */
  readonly adminPassword: string | undefined;
  /** The file with the providers by which people sign on, or instead of a file its contents. */
  readonly signOnFile: string | undefined;
  readonly signOn: string | undefined;
  /** The master keys, which encrypt the keys of tenants: as a text, or in a file. The first is the present one. */
  readonly masterKey: string | undefined;
  readonly masterKeyFile: string | undefined;
  /** Addresses and networks of proxies that are trusted to tell where a request comes from. */
  readonly trustedProxies: readonly string[];
  /** Time after its log-in during which a session can be renewed. */
  readonly sessionHours: number;
  /** Time without use after which a session kept by a browser ends. */
  readonly idleHours: number;
  readonly maxBodyBytes: number;
  readonly maxFileBytes: number;
  /** Files received at the same time, from all users and from one. */
  readonly maxUploads: number;
  readonly maxUserUploads: number;
  /** Streams of events open at the same time. */
  readonly maxStreams: number;
  /** Requests a second that a user, and a tenant, may send to this server for long; undefined where the limit is turned off. */
  readonly userRequests: number | undefined;
  readonly tenantRequests: number | undefined;
  /** Longest time of one statement of a read. */
  readonly maxReadSeconds: number;
  /** File of the private key that signs seals of the audit trail; in the data folder unless it is given. */
  readonly sealingKeyFile: string | undefined;
  /** Longest wait of an event until it is sealed. */
  readonly sealSeconds: number;
  readonly logLevel: string;
}

/** Connections shared by requests, unless their number is set. */
export const usualConnections = 10;

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

type Read<T> = (value: string, name: string) => T;

const settings = {
  MILLRACE_HOST: setting('host', '127.0.0.1', text),
  MILLRACE_PORT: setting('port', '8080', wholeNumber(0, 65_535)),
  MILLRACE_DATA: setting('dataFolder', './data', (value) => path.resolve(value)),
  MILLRACE_DATABASE_URL: setting('databaseUrl', undefined, databaseUrl),
  MILLRACE_DATABASE_DIRECT_URL: setting('databaseDirectUrl', undefined, databaseUrl),
  MILLRACE_ALLOW_LOSS: setting('allowLoss', 'no', yesOrNo),
  MILLRACE_PROCESSES: setting('processes', undefined, wholeNumber(1, 16)),
  MILLRACE_DATABASE_CONNECTIONS: setting('databaseConnections', undefined, wholeNumber(2, 1000)),
  MILLRACE_ADMIN_PASSWORD: setting('adminPassword', undefined, password),
  MILLRACE_SIGN_ON_FILE: setting('signOnFile', undefined, (value) => path.resolve(value)),
  MILLRACE_SIGN_ON: setting('signOn', undefined, text),
  MILLRACE_MASTER_KEY: setting('masterKey', undefined, text),
  MILLRACE_MASTER_KEY_FILE: setting('masterKeyFile', undefined, (value) => path.resolve(value)),
  MILLRACE_TRUSTED_PROXIES: setting('trustedProxies', '', networks),
  MILLRACE_SESSION_HOURS: setting('sessionHours', '24', wholeNumber(1, 8760)),
  MILLRACE_IDLE_HOURS: setting('idleHours', '8', wholeNumber(1, 8760)),
  MILLRACE_MAX_BODY_BYTES: setting('maxBodyBytes', String(16 * 1024 * 1024), wholeNumber(1024, 2 ** 30)),
  MILLRACE_MAX_FILE_BYTES: setting('maxFileBytes', String(256 * 1024 * 1024), wholeNumber(1024, 2 ** 40)),
  MILLRACE_MAX_UPLOADS: setting('maxUploads', '20', wholeNumber(1, 1000)),
  MILLRACE_MAX_UPLOADS_PER_USER: setting('maxUserUploads', '4', wholeNumber(1, 1000)),
  MILLRACE_MAX_STREAMS: setting('maxStreams', '200', wholeNumber(0, 100_000)),
  MILLRACE_MAX_USER_REQUESTS: setting('userRequests', '1000', numberOrOff(1, 1_000_000)),
  MILLRACE_MAX_TENANT_REQUESTS: setting('tenantRequests', '5000', numberOrOff(1, 1_000_000)),
  MILLRACE_MAX_READ_SECONDS: setting('maxReadSeconds', '8', wholeNumber(1, 60)),
  MILLRACE_SEALING_KEY_FILE: setting('sealingKeyFile', undefined, (value) => path.resolve(value)),
  MILLRACE_SEAL_SECONDS: setting('sealSeconds', '60', wholeNumber(1, 86_400)),
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
  if (config['databaseDirectUrl'] !== undefined && config['databaseUrl'] === undefined)
    problems.push('MILLRACE_DATABASE_DIRECT_URL is for one with MILLRACE_DATABASE_URL, which is not set.');
  if (config['signOn'] !== undefined && config['signOnFile'] !== undefined)
    problems.push('MILLRACE_SIGN_ON and MILLRACE_SIGN_ON_FILE are both set. Keep one of them.');
  if (config['masterKey'] !== undefined && config['masterKeyFile'] !== undefined)
    problems.push('MILLRACE_MASTER_KEY and MILLRACE_MASTER_KEY_FILE are both set. Set one of them.');
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

/** A limit that only the word `off` removes: neither a number nor a missing setting does so by accident. */
function numberOrOff(lowest: number, highest: number): Read<number | undefined> {
  return (value, name) => {
    if (value === 'off') return undefined;
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= lowest && number <= highest) return number;
    throw new Error(`${name} must be a whole number from ${lowest} to ${highest}, or off, not "${value}".`);
  };
}

function oneOf(choices: string[]): Read<string> {
  return (value, name) => {
    if (choices.includes(value)) return value;
    throw new Error(`${name} must be one of ${choices.join(', ')}, not "${value}".`);
  };
}

function yesOrNo(value: string, name: string): boolean {
  return oneOf(['yes', 'no'])(value, name) === 'yes';
}

function networks(value: string, name: string): string[] {
  const list = value.split(',').map((one) => one.trim());
  if (value === '' || list.every(isNetwork)) return list.filter((one) => one !== '');
  throw new Error(
    `${name} must be addresses or networks with commas between, as in 10.0.0.7,10.1.0.0/16, not "${value}".`,
  );
}

function isNetwork(one: string): boolean {
  const [address = '', bits, ...more] = one.split('/');
  const longest = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  const isShort = bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= longest);
  return longest > 0 && isShort && more.length === 0;
}

// The values below are secrets: a message names the setting, never its value.
function databaseUrl(value: string, name: string): string {
  if (/^[^?]*@[^/?]*,/.test(value) || /[?&](target_session_attrs=|host=[^&]*(,|%2C))/i.test(value)) {
    throw new Error(
      `${name} takes one host. Let a proxy, a virtual address or a DNS name lead to the server that takes writes.`,
    );
  }
  // A Unix socket has no host before the path; the driver accepts that, the standard URL parser does not.
  if (/^postgres(ql)?:\/\//.test(value) && URL.canParse(value.replace('@/', '@localhost/'))) return value;
  throw new Error(
    `${name} must be an address that begins with postgresql://, as in postgresql://user:password@host:5432/millrace.`,
  );
}

function password(value: string, name: string): string {
  if (value.length >= 8) return value;
  throw new Error(`${name} must have at least 8 characters.`);
}
