/** A consumer as a process of its own, to be killed and paused: a Place with `by` as JSON in the first argument. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Schemas } from '@millrace/api';
import { answerOf, clientOf, oneOf, random, untilAnswered, type Place } from './history/calls.ts';
import { openLog } from './history/log.ts';
import type { Grant, Says } from './history/record.ts';

type Report = Grant & { readonly says: Says };

const place = JSON.parse(process.argv[2] ?? '{}') as Place & { readonly by: number };
const client = clientOf(place);
const write = openLog(place.log);
const path = { id: place.queueId };
const limits = { timeoutSeconds: 10 };

// Nothing is left behind when the test itself dies.
process.stdin.on('end', () => process.exit()).resume();

for (;;) {
  const grants = await claim();
  await sleep(random(80));
  if (grants.length > 0 && random(2) === 0) await heartbeat(grants);
  await sleep(random(40));
  const reports = grants.map((grant) => ({ ...grant, says: decide() }));
  if (reports.length > 0) await report(reports);
  // As if the answer had been lost.
  if (reports.length > 0 && random(5) === 0) await report(reports);
}

async function claim(): Promise<Grant[]> {
  const body = { count: 1 + random(4), leaseSeconds: 1, waitSeconds: 2 };
  const { list } = await untilAnswered(() => client.claimWorkItems({ path, body }, limits));
  const grants = list.map(({ id, version }) => ({ by: place.by, id: Number(id), version: Number(version) }));
  write(...grants.map((grant) => ({ note: 'granted' as const, ...grant })));
  return grants;
}

async function heartbeat(grants: readonly Grant[]): Promise<void> {
  const leases = grants.map(({ id, version }) => ({ id, version, leaseSeconds: 1 }));
  const answer = await answerOf(() => client.heartbeatWorkItems({ path, body: { leases } }, limits));
  const kept = grants.filter((_, index) => answer?.list[index]?.leaseExpiresOn !== undefined);
  write(...kept.map((grant) => ({ note: 'kept' as const, ...grant })));
}

function decide(): Says {
  return oneOf(['COMPLETE', 'COMPLETE', 'COMPLETE', 'COMPLETE', 'BUSINESS', 'SYSTEM', 'SYSTEM', 'DEFERRED']);
}

/** Sends the reports until they are answered, also those whose lease is lost: that they are refused is the point. */
async function report(reports: readonly Report[]): Promise<void> {
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
