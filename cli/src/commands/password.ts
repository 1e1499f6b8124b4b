import type { Command } from 'commander';
import { openClient } from '../access.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { readPasswordChange } from '../password.ts';

/** `millrace password`: changes one's own password. */
export function addPassword(program: Command, context: Context): Command {
  const command = program
    .command('password')
    .summary('Change your password')
    .description(
      'Change your own password. The present one is asked for, then the new one; where there is no terminal, they are the ' +
        'first two lines of stdin. All your other sessions end. Somebody who has forgotten the password gets a temporary one by ' +
        '`millrace user reset-password`, and chooses another with this command.',
    );
  return addCallFlags(command).action(() => changePassword(context, command.optsWithGlobals<CallFlags>()));
}

async function changePassword({ config, terminal }: Context, { url, json }: CallFlags): Promise<void> {
  const body = await readPasswordChange(terminal);
  const client = await openClient(config, url);
  await client.changePassword({ body }, { timeoutSeconds: 60 });
  if (json === true) terminal.out('{}');
  else terminal.say('The new password counts from now on. Your other sessions have ended.');
}
