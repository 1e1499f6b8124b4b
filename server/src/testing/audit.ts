import type { Output } from '@millrace/api';
import { sealEvents } from '../audit/sealing.ts';
import { openPool, transaction } from '../engine/db.ts';
import { endOfWriters, type App, type Caller } from './app.ts';
import { keyless } from './keyless.ts';

/** Seals all present events of an app, as its job would do in time. */
export async function seal(app: Pick<App, 'connection' | 'sql'>, file: string): Promise<void> {
  await endOfWriters(app);
  const pool = openPool(app.connection, 1);
  const job = sealEvents({ keyFile: file, waitSeconds: 0 });
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  // Each pass goes on where the one before stopped. The first may record its key, an event that is sealed with the second.
  for (let pass = 0; pass < 3; pass += 1)
    await transaction(pool, async (db, clock) =>
      job.run({ db, now: await clock, wake: ignore, log, ...keyless }),
    );
  await pool.end();
}

const ignore = () => undefined;

type Verification = Output<'verifyAudit'>;

/** Verifies everything, part by part; returns the findings, with the kinds of the problems in order. */
export async function verify(caller: Caller, head?: string, keys?: string) {
  const found = { events: 0, erased: 0, problems: [] as Verification['problems'] };
  for (let after: string | undefined = ''; after !== undefined;) {
    const query = {
      ...(after && { after }),
      ...(head !== undefined && { head }),
      ...(keys !== undefined && { keys }),
    };
    const { body }: { body: Verification } = await caller.verifyAudit({ query });
    found.events += body.events;
    found.erased += body.erased;
    found.problems.push(...body.problems);
    after = body.cursor;
  }
  return { ...found, kinds: found.problems.map(({ kind }) => kind) };
}
