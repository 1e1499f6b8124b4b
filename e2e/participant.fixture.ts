/** A participant of a history in a process of its own, to be killed and paused: a role, and its place as JSON. */
import type { Place } from './history/calls.ts';
import { consume } from './history/consumer.ts';
import { runDevice } from './history/device.ts';
import { readFeed } from './history/reader.ts';

const roles: Readonly<Record<string, (place: never) => Promise<void>>> = { consume, runDevice, readFeed };

const [role = '', place = '{}'] = process.argv.slice(2);
const run = roles[role] as (place: Place) => Promise<void>;

// Nothing is left behind when the test itself dies.
process.stdin.on('end', () => process.exit()).resume();

process.stdout.write('begun\n');
await run(JSON.parse(place) as Place);
