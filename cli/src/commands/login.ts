import { createClient, stringifyJson, type Schemas } from '@millrace/api';
import type { Command } from 'commander';
import { serverUrl } from '../access.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { readCredentials, writeCredentials } from '../credentials.ts';
import { UsageError } from '../errors.ts';
import { addPasswordFlag, ask, canAsk, readPassword } from '../password.ts';
import { signOn } from '../sign-on.ts';

interface LoginFlags extends CallFlags {
  readonly provider?: string;
  readonly port?: number;
  readonly username?: string;
  readonly passwordStdin?: boolean;
}

type Credentials = Schemas['Credentials'];

const nobodyToAsk =
  'There is no terminal to ask at. Set MILLRACE_USERNAME and MILLRACE_PASSWORD or MILLRACE_API_KEY, ' +
  'or give --username and --password-stdin.';

/** `millrace login`: keeps a token for the commands that follow. */
export function addLogin(program: Command, context: Context): Command {
  const command = program
    .command('login')
    .summary('Log in, and keep the token for later commands')
    .description(
      'Log in and keep the token, never the password, where only you can read it. User name and password are asked for, or ' +
        'come from MILLRACE_USERNAME and MILLRACE_PASSWORD or MILLRACE_API_KEY. A token lives 20 minutes and is renewed while it ' +
        'is in use, for a day unless the server is set otherwise; for scripts set the variables instead, then no log-in is needed. ' +
        'With --provider you log in by a browser on this machine, at a provider that GET /v2/authentication/methods lists.',
    )
    .option('--username <name>', 'Who logs in; asked for when left out')
    .option('--provider <name>', 'Sign on by this provider, in a browser on this machine')
    .option(
      '--port <number>',
      'With --provider: the port of 127.0.0.1 that the browser comes back to',
      readPort,
    );
  addPasswordFlag(command);
  return addCallFlags(command).action(() => logIn(context, command.optsWithGlobals<LoginFlags>()));
}

async function logIn(context: Context, flags: LoginFlags): Promise<void> {
  const { config, terminal } = context;
  const url = serverUrl(config, readCredentials(config.folder), flags.url);
  const session = await openSession(context, url, flags);
  writeCredentials(config.folder, { url, token: session.token, givenOn: Date.now() });
  const { username } = session.user;
  const roles = session.user.roles.flatMap(({ name }) => name ?? []);
  if (flags.json === true) return terminal.out(stringifyJson({ url, username, roles }));
  terminal.say(`Logged in at ${url} as ${username} (${roles.join(', ') || 'without roles'}).`);
}

async function openSession(context: Context, url: string, flags: LoginFlags): Promise<Schemas['Session']> {
  const client = createClient({ url });
  const { provider, port = usualPort } = flags;
  if (provider !== undefined) {
    const { terminal } = context;
    const show = (address: string) =>
      terminal.say(
        `Open this address in a browser on this machine:\n\n  ${address}\n\nWaiting for you to log in there ...`,
      );
    return signOn(client, { provider, port, show });
  }
  const body = await credentialsFrom(context, flags);
  return client.logIn({ body }, { timeoutSeconds: 60 });
}

/** A port that the operator can have the provider allow. */
const usualPort = 8400;

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d{4,5}$/.test(text) && port >= 1024 && port <= 65_535) return port;
  throw new UsageError(`--port must be a whole number from 1024 to 65535, not "${text}".`);
}

/** The log-in from the environment is not used for another user name, nor beside --password-stdin. */
async function credentialsFrom({ config, terminal }: Context, flags: LoginFlags): Promise<Credentials> {
  const fromStdin = flags.passwordStdin === true;
  const isOther = flags.username !== undefined && flags.username !== config.username;
  const known = flags.username ?? config.username;
  const { password, apiKey } = fromStdin || isOther ? {} : config;
  const hasSecret = fromStdin || (password ?? apiKey) !== undefined;
  if (!canAsk() && (known === undefined || !hasSecret)) throw new UsageError(nobodyToAsk);
  const username = known ?? (await ask(terminal, 'User name: '));
  if (apiKey !== undefined) return { username, apiKey };
  return { username, password: password ?? (await readPassword(terminal)) };
}
