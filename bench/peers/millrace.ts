import { run } from '@millrace/runner';
import { password } from '../stage.ts';
import type { Order, Peer } from './peers.ts';

/** A bot as the README has it, with the SDK. */
export function openMillrace(_: NodeJS.Require, { server = '', queueId = 0, bots }: Order): Promise<Peer> {
  const work = (handle: () => void) => {
    const stop = new AbortController();
    const options = { url: server, username: 'consumer-0', password, queue: queueId, slots: bots };
    const ended = run({ ...options, signal: stop.signal, onEvent: () => undefined }, () => handle());
    return Promise.resolve(async () => {
      stop.abort();
      await ended;
    });
  };
  const create = () => Promise.reject(new Error('The queue is filled by the bench.'));
  return Promise.resolve({ create, work });
}
