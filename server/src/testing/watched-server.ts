/** A server as a process of its own, which reports the longest hold of its event loop, and its memory. */
import { readFileSync } from 'node:fs';
import { startServer } from '../server.ts';
import { readConfig } from '../engine/config.ts';
import type { ConnectionConfig } from '../engine/db.ts';

const [connection = '{}', adminPassword] = process.argv.slice(2);
const settings = { MILLRACE_PORT: '0', MILLRACE_LOG_LEVEL: 'fatal', MILLRACE_ALLOW_LOSS: 'yes' };
const config = { ...readConfig(settings), adminPassword };
const server = await startServer(config, JSON.parse(connection) as ConnectionConfig);
let since = loopMs();
let heldMs = 0;
setInterval(() => {
  heldMs = Math.max(heldMs, loopMs() - since);
  since = loopMs();
}, 1).unref();

/**
 * Processor time of the event loop's thread so far, which, unlike the time between two ticks, does not grow when others keep the machine
 * busy. Where the system does not report it, that of all threads, some of which collect garbage.
 */
function loopMs(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }
}
process.on('message', () => {
  process.send?.({ heldMs, rss: process.memoryUsage.rss() });
  heldMs = 0;
});
process.once('disconnect', () => void server.stop());
process.send?.(server.url);
