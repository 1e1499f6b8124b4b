import { createClient } from '@millrace/api';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { readCredentials, removeCredentials, type Credentials } from '../credentials.ts';
import { UsageError } from '../errors.ts';

/** `millrace logout`: revokes the kept token and forgets it. */
export function addLogout(program: Command, context: Context): Command {
  return program
    .command('logout')
    .summary('Forget the kept log-in')
    .description('End the session of the kept token at its server, and forget the token.')
    .action(() => logOut(context));
}

async function logOut({ config, terminal }: Context): Promise<void> {
  const kept = keptOrDamaged(config.folder);
  removeCredentials(config.folder);
  if (kept === undefined) return terminal.say('You were not logged in.');
  if (kept === 'damaged') return terminal.say('The kept log-in was damaged; it is removed.');
  const isRevoked = await revoke(kept);
  terminal.say(
    isRevoked
      ? `Logged out at ${kept.url}.`
      : `The log-in is forgotten here, but ${kept.url} could not be told: the token stays valid until it expires.`,
  );
}

async function revoke({ url, token }: Credentials): Promise<boolean> {
  try {
    await createClient({ url, token }).logOut({}, { timeoutSeconds: 10 });
    return true;
  } catch {
    return false;
  }
}

function keptOrDamaged(folder: string): Credentials | 'damaged' | undefined {
  try {
    return readCredentials(folder);
  } catch (error) {
    if (error instanceof UsageError) return 'damaged';
    throw error;
  }
}
