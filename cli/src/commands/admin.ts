import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { exitOf, locatePart, spawnScript } from '../own-process.ts';

interface ResetFlags {
  readonly data?: string;
}

/** `millrace admin`: work on the machine of the server, by its owner, without a log-in. */
export function addAdmin(program: Command): void {
  const admin = program
    .command('admin')
    .summary('On the machine of the server')
    .description('On the machine of the server, without a log-in.')
    .usage('<command> [options]')
    .helpCommand(false);
  admin
    .command('reset-password')
    .argument('[username]', 'Whose password is lost; the only administrator when left out')
    .summary('Get in again when the password of the administrator is lost')
    .description(
      'Give a user a temporary password when no administrator can log in any more, while the server runs or not. It needs the ' +
        'database: the data folder, with the account that the server has, or MILLRACE_DATABASE_URL. The password is printed once, on standard ' +
        'output, and is good for choosing another. All sessions of the user end, and it is on record.',
    )
    .option('--data <folder>', 'Folder of the embedded database (MILLRACE_DATA; ./data)')
    .action(async (username: string | undefined, { data }: ResetFlags) => {
      const script = locatePart('@millrace/server/reset-password', 'npx millrace admin reset-password');
      const args = [fileURLToPath(script), ...(username === undefined ? [] : [username])];
      const own = spawnScript(args, { MILLRACE_DATA: data }, ['inherit', 'inherit', 'inherit']);
      process.exitCode = await exitOf(own);
    });
}
