import { createClient, type Client, type ClientOptions } from '@millrace/api';
import type { Config } from './config.ts';
import { readCredentials, writeCredentials, type Credentials } from './credentials.ts';
import { UsageError } from './errors.ts';

const defaultUrl = 'http://127.0.0.1:8080';
const freshMs = 5 * 60_000;

/** The server that a command calls, and the log-in. */
export interface Access {
  readonly url: string;
  /** The log-in from the environment; it wins over the kept one. */
  readonly credentials: Pick<ClientOptions, 'username' | 'password' | 'apiKey'>;
  /** The kept log-in, when it is for this server and used. */
  readonly kept: Credentials | undefined;
}

/**
 * Decides on the server and the log-in.
 * @param urlOption the option --url, which wins over MILLRACE_URL, the server of the kept log-in and the default
 * @throws UsageError for a bad URL or half a log-in in the environment
 */
export function accessOf(config: Config, kept: Credentials | undefined, urlOption?: string): Access {
  const { username, password, apiKey } = config;
  const url = serverUrl(config, kept, urlOption);
  const secret = password ?? apiKey;
  if ((username === undefined) !== (secret === undefined)) throw new UsageError(halfLogIn(config));
  const isNamed = username !== undefined;
  return {
    url,
    credentials: isNamed ? { username, password, apiKey } : {},
    kept: !isNamed && kept?.url === url ? kept : undefined,
  };
}

/** @throws UsageError when it is no http or https URL. */
export function serverUrl(config: Config, kept: Credentials | undefined, urlOption?: string): string {
  const url = urlOption ?? config.url ?? kept?.url ?? defaultUrl;
  const name = urlOption === undefined ? 'MILLRACE_URL' : '--url';
  // Not shown, as every other message would show it: the part before @ is mostly a password.
  if (/^[^/]*\/\/[^/?#]*@/.test(url))
    throw new UsageError(
      `${name} must not hold a user name or a password: leave out what stands before the @, and log in with \`millrace login\`.`,
    );
  if (/^https?:\/\/[^/]/i.test(url) && URL.canParse(url)) return url.replace(/\/+$/, '');
  throw new UsageError(`${name} is "${url}", but must be like ${defaultUrl}`);
}

/** Options for a client, from the environment, the option --url and the kept log-in. A renewed token is kept. */
export function clientOptions(config: Config, urlOption?: string): ClientOptions & { kept?: Credentials } {
  const { url, credentials, kept } = accessOf(config, readCredentials(config.folder), urlOption);
  if (kept === undefined) return { url, ...credentials };
  const onToken = (token: string) => writeCredentials(config.folder, { url, token, givenOn: Date.now() });
  return { url, token: kept.token, onToken, kept };
}

/** A client for one command. It renews an old kept token, so that a log-in lasts while it is used. */
export async function openClient(config: Config, urlOption?: string): Promise<Client> {
  const options = clientOptions(config, urlOption);
  const client = createClient(options);
  const isOld = options.kept !== undefined && Date.now() - options.kept.givenOn > freshMs;
  // When the renewal fails, the call itself says why.
  if (isOld) await client.refreshToken({}, { timeoutSeconds: 10 }).catch(() => undefined);
  return client;
}

function halfLogIn({ username, password }: Config): string {
  if (username !== undefined)
    return 'MILLRACE_USERNAME is set; set MILLRACE_PASSWORD or MILLRACE_API_KEY as well.';
  const name = password === undefined ? 'MILLRACE_API_KEY' : 'MILLRACE_PASSWORD';
  return `${name} is set; set MILLRACE_USERNAME as well.`;
}
