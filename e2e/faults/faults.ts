import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../../server/src/engine/connection.ts';
import { openPlace, openPlaceOnDisk, openPlaceOnLine, type Place } from './place.ts';

export interface Fault {
  readonly name: string;
  /** Whether the fault is over when the strike is done; otherwise as soon as the strike has begun, and the victim gets up meanwhile. */
  readonly isLasting: boolean;
  /** Opens a place for it; answers the reason where the machine does not allow it. */
  readonly open: () => Promise<Threat | string>;
}

/** A fault that can happen. */
export interface Threat {
  readonly place: Place;
  readonly strike: () => Promise<unknown>;
}

type Open<P> = () => Promise<P | string>;
type Strike<P> = (place: P) => Promise<unknown>;

function blow<P extends Place>(name: string, open: Open<P>, strike: Strike<P>, isLasting = false): Fault {
  const openFor = async () => {
    const place = await open();
    return typeof place === 'string' ? place : { place, strike: () => strike(place) };
  };
  return { name, isLasting, open: openFor };
}

function spell<P extends Place>(name: string, open: Open<P>, strike: Strike<P>): Fault {
  return blow(name, open, strike, true);
}

const hour = 3_600_000;

export const faults: readonly Fault[] = [
  blow('kill -9 of the server', openPlace, ({ server }) => server.restart('SIGKILL')),
  blow('SIGTERM of the server', openPlace, ({ server }) => server.restart('SIGTERM')),
  blow('kill -9 of the postmaster', openPlace, ({ database }) => database.kill()),
  blow('kill -9 of both', openPlace, ({ server, database }) =>
    Promise.all([server.restart('SIGKILL'), database.kill()]),
  ),
  spell('database frozen 5 s', openPlace, ({ database }) => database.freeze(5000)),
  spell('network cut 5 s', openPlaceOnLine, async ({ line }) => {
    await line.cut();
    await sleep(5000);
    await line.mend();
  }),
  spell('network half-open 10 s', openPlaceOnLine, async ({ line }) => {
    line.swallow();
    await sleep(10_000);
    await line.mend();
  }),
  spell('network 200 ms slower each way, 10 s', openPlaceOnLine, async ({ line }) => {
    line.spoil({ delayMs: 200 });
    await sleep(10_000);
    await line.mend();
  }),
  spell('disk full 10 s', openPlaceOnDisk, async ({ disk }) => {
    // Space that the database gives back is taken as well.
    for (const end = Date.now() + 10_000; Date.now() < end; await sleep(200)) await disk.fill();
    await disk.clear();
  }),
  spell("server's clock 1 h ahead, 10 s", openPlace, async ({ server }) => {
    server.setClock(hour);
    await sleep(10_000);
    server.setClock(0);
  }),
  spell('transaction held open 30 s', openPlace, (place) => holdTransaction(place, 30_000)),
];

/** Holds a transaction as a dump does, or a forgotten psql: with a snapshot, and with an id, for which readers of events wait. */
async function holdTransaction({ connection }: Place, milliseconds: number): Promise<void> {
  const client = new Connection(connection);
  await client.connect();
  await client.query('set idle_in_transaction_session_timeout = 0');
  await client.query('begin isolation level repeatable read; select pg_current_xact_id() from queues');
  await sleep(milliseconds);
  await client.query('rollback');
  await client.end();
}
