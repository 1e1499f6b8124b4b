import { createClient, stringifyJson, type Schemas } from '@millrace/api';
import type { Command } from 'commander';
import { serverUrl } from '../access.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { readCredentials, writeCredentials } from '../credentials.ts';
import { UsageError } from '../errors.ts';
import { addPasswordFlag, ask, canAsk, readPassword } from '../password.ts';

interface LoginFlags extends CallFlags {
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
        'is in use; for scripts set the variables instead, then no log-in is needed.',
    )
    .option('--username <name>', 'Who logs in; asked for when left out');
  addPasswordFlag(command);
  return addCallFlags(command).action(() => logIn(context, command.optsWithGlobals<LoginFlags>()));
}

async function logIn(context: Context, flags: LoginFlags): Promise<void> {
  const { config, terminal } = context;
  const url = serverUrl(config, readCredentials(config.folder), flags.url);
  const body = await credentialsFrom(context, flags);
  const session = await createClient({ url }).logIn({ body }, { timeoutSeconds: 60 });
  writeCredentials(config.folder, { url, token: session.token, givenOn: Date.now() });
  const { username } = session.user;
  const roles = session.user.roles.flatMap(({ name }) => name ?? []);
  if (flags.json === true) return terminal.out(stringifyJson({ url, username, roles }));
  terminal.say(`Logged in at ${url} as ${username} (${roles.join(', ') || 'without roles'}).`);
}

/** Whoever names somebody else, or brings a password, does not mean what the environment holds. */
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
