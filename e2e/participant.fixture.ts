/** Consumers in a process of their own, to be killed and paused: a Place with `by` as JSON in the first argument. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Schemas } from '@millrace/api';
import { answerOf, clientOf, oneOf, random, untilAnswered, type Place } from './history/calls.ts';
import { openLog, type Write } from './history/log.ts';
import type { Grant, Says } from './history/record.ts';

type Report = Grant & { readonly says: Says };

const place = JSON.parse(process.argv[2] ?? '{}') as Place & { readonly by: number };
const client = clientOf(place);
const path = { id: place.queueId };
const limits = { timeoutSeconds: 10 };

// Nothing is left behind when the test itself dies.
process.stdin.on('end', () => process.exit()).resume();

await Promise.all(['left hand', 'right hand', 'third hand'].map((hand) => consume(`${place.log}, ${hand}`)));

async function consume(log: string): Promise<never> {
  const write = openLog(log);
  for (;;) {
    const grants = await claim(write);
    if (grants.length === 0) continue;
    await work(grants, write);
    const reports = grants.map((grant) => ({ ...grant, says: decide() }));
    await report(reports, write);
    // As if the answer had been lost.
    if (random(5) === 0) await report(reports, write);
  }
}

async function claim(write: Write): Promise<Grant[]> {
  const body = { count: 1 + random(4), leaseSeconds: 1, waitSeconds: 2 };
  const { list } = await untilAnswered(() => client.claimWorkItems({ path, body }, limits));
  const grants = list.map(({ id, version }) => ({ by: place.by, id: Number(id), version: Number(version) }));
  write(...grants.map((grant) => ({ note: 'granted' as const, ...grant })));
  return grants;
}

/** Some work is quick, some goes on for a while with signs of life, and some outlasts its lease in silence. */
async function work(grants: readonly Grant[], write: Write): Promise<void> {
  for (let signs = oneOf([0, 0, 0, 1, 4]); signs > 0; signs -= 1) {
    await sleep(300);
    await heartbeat(grants, write);
  }
  await sleep(oneOf([5, 10, 20, 50, 100, 100, 1500]));
}

async function heartbeat(grants: readonly Grant[], write: Write): Promise<void> {
  const leases = grants.map(({ id, version }) => ({ id, version, leaseSeconds: 1 }));
  const answer = await answerOf(() => client.heartbeatWorkItems({ path, body: { leases } }, limits));
  const kept = grants.filter((_, index) => answer?.list[index]?.leaseExpiresOn !== undefined);
  write(...kept.map((grant) => ({ note: 'kept' as const, ...grant })));
}

function decide(): Says {
  return oneOf(['COMPLETE', 'COMPLETE', 'COMPLETE', 'COMPLETE', 'BUSINESS', 'SYSTEM', 'SYSTEM', 'DEFERRED']);
}

/** Sends the reports until they are answered, also those whose lease is lost: that they are refused is the point. */
async function report(reports: readonly Report[], write: Write): Promise<void> {
  const results = reports.map(resultOf);
  const { list } = await untilAnswered(() => {
    write(...reports.map((one) => ({ note: 'reporting' as const, ...one })));
    return client.finishWorkItems({ path, body: { results } }, limits);
  });
  for (const [index, one] of reports.entries()) {
    const { error, version } = list[index] ?? {};
    if (error) write({ note: 'refused', ...one, code: error.code });
    else write({ note: 'accepted', ...one, versionAfter: Number(version) });
  }
}

function resultOf({ id, version, says }: Report): Schemas['WorkItemReport'] {
  if (says === 'COMPLETE') return { id, version, status: says };
  if (says !== 'DEFERRED') return { id, version, status: 'FAILED', failureKind: says, error: 'as decided' };
  return { id, version, status: says, deferredUntil: new Date(Date.now() + random(300)).toISOString() };
}
