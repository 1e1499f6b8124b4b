/** Loaded into a server before its own code (`--import`): its wall clock is ahead by the milliseconds that it was last told on stdin. */
import type { Socket } from 'node:net';

const wall = { aheadMs: 0 };
const right = Date.now;
const now = () => right() + wall.aheadMs;

globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) => {
    return Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object;
  },
  get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
});

process.stdin.setEncoding('utf8').on('data', (text: string) => {
  wall.aheadMs = Number(text.trim().split('\n').at(-1));
});
// It does not keep the server alive.
(process.stdin as unknown as Socket).unref();
