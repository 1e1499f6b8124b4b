import { resetLostPassword } from './access/people/lost.ts';
import { openPool, transaction, type ConnectionConfig } from './engine/db.ts';
import { fail, say, withDatabase } from './this-machine.ts';

/** Gives a user a temporary password, on the machine of the server, whether that runs or not. Only the password goes to standard output. */
async function main(username: string | undefined): Promise<void> {
  await withDatabase(async (connection) => {
    const reset = await inDatabase(connection, username);
    say(
      `The temporary password of ${reset.username}, which is shown only now and is good for choosing another:`,
    );
    process.stdout.write(`${reset.temporaryPassword}\n`);
    say(
      'All sessions of the user have ended. Log in with `millrace login`, then choose a password with `millrace password`.',
    );
  });
}

async function inDatabase(connection: ConnectionConfig, username: string | undefined) {
  const pool = openPool(connection, 1);
  try {
    // Readers of the feed of a running server look by themselves every five seconds.
    const wake = () => undefined;
    return await transaction(pool, async (db, clock) =>
      resetLostPassword({ db, now: await clock, wake }, username),
    );
  } finally {
    await pool.end();
  }
}

main(process.argv[2]).catch(fail);
