import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { atEnd } from './endings.ts';

/** To the database, or back from it. */
type Direction = 'there' | 'back';

/** A fault of a line, in everything that it carries. */
interface Fault {
  /** Takes what goes this way, and brings it nowhere. */
  readonly drop?: Direction;
  /** Milliseconds for which it keeps what it carries. */
  readonly delayMs?: number;
}

/** The way to a database, which can break, fall silent, lead elsewhere and be mended. */
export interface Line {
  /** How to reach the database through it. */
  readonly connection: pg.ClientConfig;
  /** The bytes sent to the database, of all connections together. */
  readonly sent: () => string;
  /** Hangs up on everybody, and refuses new connections. */
  cut(): Promise<void>;
  /** Accepts connections, and never answers. Those that it has then never come back to life. */
  swallow(): void;
  /** Spoils, from now on, what it carries. */
  spoil(fault: Fault): void;
  /** Hangs up on everybody, and leads new connections to this database. */
  leadTo(database: pg.ClientConfig): void;
  /** Carries new connections as it should. */
  mend(): Promise<void>;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  isDead: boolean;
  /** What is on its way, by direction: a part never overtakes another, also when the line is mended meanwhile. */
  readonly underway: { [D in Direction]?: Promise<unknown> };
}

/** Stands between an application and its database until the test file ends. */
export async function startLine(database: pg.ClientConfig): Promise<Line> {
  const state: State = { pairs: new Set(), carried: [], target: database, fault: {}, isSwallowing: false };
  const server = createServer((near) => carry(near, state));
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  const cut = async () => {
    if (!server.listening) return;
    server.close();
    hangUp(state);
    await once(server, 'close');
  };
  atEnd(cut);
  const mend = async () => {
    Object.assign(state, { fault: {}, isSwallowing: false });
    if (!server.listening) await listen(server, port);
  };
  const sent = () => Buffer.concat(state.carried).toString('latin1');
  return { connection: { ...database, host: '127.0.0.1', port }, sent, cut, mend, ...faultsOf(state) };
}

function faultsOf(state: State): Pick<Line, 'swallow' | 'spoil' | 'leadTo'> {
  return {
    swallow: () => {
      state.isSwallowing = true;
      for (const pair of state.pairs) pair.isDead = true;
    },
    spoil: (fault) => void (state.fault = fault),
    leadTo: (other) => {
      state.target = other;
      hangUp(state);
    },
  };
}

function hangUp({ pairs }: State): void {
  for (const { near } of pairs) near.destroy();
}

interface State {
  readonly pairs: Set<Pair>;
  readonly carried: Buffer[];
  target: pg.ClientConfig;
  fault: Fault;
  isSwallowing: boolean;
}

function carry(near: Socket, state: State): void {
  const { pairs, carried } = state;
  const far = connectTo(state.target);
  const pair: Pair = { near, far, isDead: state.isSwallowing, underway: {} };
  pairs.add(pair);
  const pass = (part: Buffer, to: Socket, direction: Direction) => {
    const { drop, delayMs } = state.fault;
    if (pair.isDead || drop === direction) return;
    const before = pair.underway[direction];
    if (delayMs === undefined && before === undefined) to.write(part);
    else pair.underway[direction] = Promise.all([before, sleep(delayMs ?? 0)]).then(() => to.write(part));
  };
  near.on('data', (part: Buffer) => {
    carried.push(part);
    pass(part, pair.far, 'there');
  });
  pair.far.on('data', (part: Buffer) => pass(part, near, 'back'));
  // A network that carries nothing does not tell that the other side has hung up.
  pair.far.on('close', () => pair.isDead || near.destroy());
  near.on('close', () => {
    pair.far.destroy();
    pairs.delete(pair);
  });
  for (const socket of [near, pair.far]) socket.on('error', () => undefined);
}

async function listen(server: Server, port: number): Promise<void> {
  await once(server.listen(port, '127.0.0.1'), 'listening');
}

/** A connection to a database, on which nothing was said yet. */
export function connectTo({ host = '', port = 5432 }: pg.ClientConfig): Socket {
  return host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
}
