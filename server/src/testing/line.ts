import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { atEnd } from './endings.ts';

/** To the database, or back from it. */
type Direction = 'there' | 'back';

/** A fault of a line, which affects all traffic. */
interface Fault {
  /** Drops traffic in this direction. */
  readonly drop?: Direction;
  /** Milliseconds by which traffic is delayed. */
  readonly delayMs?: number;
}

/** The network line to a database, which can break, fall silent, be redirected and be repaired. */
export interface Line {
  /** The connection parameters for the database through the line. */
  readonly connection: pg.ClientConfig;
  /** The bytes sent to the database, over all connections. */
  readonly sent: () => string;
  /** Closes all connections, and refuses new ones. */
  cut(): Promise<void>;
  /** Accepts connections, and never answers. Connections from that time never come back to life. */
  swallow(): void;
  /** Applies a fault to all traffic from now on. */
  spoil(fault: Fault): void;
  /** Closes all connections, and leads new ones to this database. */
  leadTo(database: pg.ClientConfig): void;
  /** Carries new connections without a fault. */
  mend(): Promise<void>;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  isDead: boolean;
  /** Traffic under way, by direction: a part never overtakes another, even when the line is repaired meanwhile. */
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
  // A network that carries nothing does not report that the other side has hung up.
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

/** A connection to a database, before any message. */
export function connectTo({ host = '', port = 5432 }: pg.ClientConfig): Socket {
  return host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
}
