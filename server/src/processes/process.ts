/** One of several processes of a server, started by `parent.ts`. Its argument is their number. */
import { readConfig } from '../engine/config.ts';
import type { Place } from '../engine/low-water.ts';
import { goOnUnread } from '../engine/output.ts';
import type { Full, TakePlace } from '../engine/places.ts';
import { divideBy } from '../engine/share.ts';
import type { Siblings, Wake } from '../engine/siblings.ts';
import { allWaiting, type WakeUp } from '../engine/wake-ups.ts';
import type { FromProcess, Start, ToProcess } from './messages.ts';

// Wake-ups are sent at once; only when many come, those of this time are sent together.
const gatherMs = 4;

type Heard = Parameters<Siblings['hear']>[0];

/** The connection of a process to its siblings, by way of their parent. */
class Link implements Siblings {
  /** Settles with the parent's message that there is a database. */
  readonly started: Promise<Start>;
  readonly #heard: Heard[] = [];
  readonly #calls = new Map<number, (full: Full | undefined) => void>();
  readonly #gathered = new Map<WakeUp, { items: number; places: Place[] }>();
  readonly #ends: Record<'leave' | 'stop', () => void>;
  #start: (start: Start) => void = () => undefined;
  #gathering: NodeJS.Timeout | undefined;
  #lastCall = 0;
  #missing = 0;

  /** @param ends are called when this process has to leave its connections to others, or to stop. */
  constructor(ends: Record<'leave' | 'stop', () => void>) {
    this.#ends = ends;
    this.started = new Promise((resolve) => (this.#start = resolve));
    process.on('message', (message: ToProcess) => this.#hear(message));
    // Until there is a database, nothing else keeps this process alive.
    process.channel?.ref();
    void this.tell({ kind: 'listening' });
  }

  /** Tells the parent; settles when the message is on its way. */
  readonly tell = (message: FromProcess): Promise<void> =>
    // A parent that cannot be told has gone, and this process goes in a moment.
    new Promise((resolve) => {
      if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
      else resolve();
    });

  readonly missing: Siblings['missing'] = () => this.#missing;
  readonly hear: Siblings['hear'] = (heard) => void this.#heard.push(heard);
  readonly tellReadiness: Siblings['tellReadiness'] = (isReady) => void this.tell({ kind: 'ready', isReady });
  readonly tellRequests: Siblings['tellRequests'] = (spent) => void this.tell({ kind: 'requests', spent });

  readonly takePlace: TakePlace = async (of, { userId, tenantUuid }) => {
    const call = (this.#lastCall += 1);
    void this.tell({ kind: 'take', call, of, holder: { userId, tenantUuid } });
    const full = await new Promise<Full | undefined>((resolve) => this.#calls.set(call, resolve));
    return full ?? { release: () => void this.tell({ kind: 'release', call }) };
  };

  readonly wake: Wake = (name, items, places) => {
    const gathered = this.#gathered.get(name) ?? { items: 0, places: [] };
    gathered.items = Math.min(gathered.items + items, allWaiting);
    for (const place of places) gathered.places.push(place);
    this.#gathered.set(name, gathered);
    if (this.#gathering === undefined) this.#tellGathered();
  };

  #tellGathered(): void {
    this.#gathering = undefined;
    if (this.#gathered.size === 0) return;
    const wakeUps = [...this.#gathered].map(([name, { items, places }]) => [name, items, places] as const);
    this.#gathered.clear();
    void this.tell({ kind: 'wake', wakeUps: wakeUps as unknown as Parameters<Wake>[] });
    this.#gathering = setTimeout(() => this.#tellGathered(), gatherMs).unref();
  }

  #hear(message: ToProcess): void {
    if (message.kind === 'start') this.#start(message);
    else if (message.kind === 'leave' || message.kind === 'stop') this.#ends[message.kind]();
    else if (message.kind === 'missing') this.#missing = message.processes;
    else if (message.kind === 'taken') this.#answer(message.call, message.full);
    else if (message.kind === 'requests') for (const { requests } of this.#heard) requests?.(message.spent);
    else for (const { wake } of this.#heard) for (const wakeUp of message.wakeUps) wake?.(...wakeUp);
  }

  #answer(call: number, full: Full | undefined): void {
    this.#calls.get(call)?.(full);
    this.#calls.delete(call);
  }
}

goOnUnread();
divideBy(Number(process.argv[2]));

const leaving = new AbortController();
const stopping = new AbortController();
const link = new Link({ leave: () => leaving.abort(), stop: () => stopping.abort() });
// A process that is ended by itself is replaced by another.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stopping.abort());

/** Settles when one of the signals aborts. */
function untilAborted(...signals: AbortSignal[]): Promise<unknown> {
  const any = AbortSignal.any(signals);
  return any.aborted ? Promise.resolve() : new Promise((resolve) => any.addEventListener('abort', resolve));
}

async function refuseStopped(): Promise<never> {
  await untilAborted(stopping.signal);
  throw stopping.signal.reason;
}

async function serve(): Promise<void> {
  // Loading takes longer than any other part of a start: it happens while the database starts.
  const loading = import('../server.ts');
  const { connection, direct, ownKeyFile, ...own } = await Promise.race([link.started, refuseStopped()]);
  const { startServer } = await loading;
  const config = { ...readConfig(), ...own };
  const more = { direct, ownKeyFile, siblings: link, stopping: stopping.signal };
  const server = await startServer(config, connection, more);
  const { url, firstPassword, madeKeyFile } = server;
  await link.tell({ kind: 'serving', url, firstPassword, madeKeyFile });
  await untilAborted(leaving.signal, stopping.signal);
  if (!stopping.signal.aborted) await Promise.race([server.leave(), untilAborted(stopping.signal)]);
  await server.stop();
}

serve().then(
  () => process.exit(0),
  async (error: unknown) => {
    const isStopped = error === stopping.signal.reason;
    if (!isStopped) await link.tell({ kind: 'failed', message: (error as Error).message });
    process.exit(isStopped ? 0 : 1);
  },
);
