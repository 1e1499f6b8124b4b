import { setImmediate as nextTurn } from 'node:timers/promises';
import { ApiError, ConnectionError } from '@millrace/api';
import { expect, test } from 'vitest';
import type { RunnerEvent } from './events.ts';
import type { Report } from './item.ts';
import {
  addReport,
  createOutbox,
  delivered,
  recovered,
  unanswered,
  type Outbox,
  type SendReports,
} from './outbox.ts';

type Answer = (reports: Report[]) => ReturnType<SendReports>;

const queueId = 1;
const report = (id: number, version = 1): Report => ({ id, version, status: 'COMPLETE' });
const kept = (reports: readonly Report[]) => reports.map(({ id }) => ({ id, status: 'COMPLETE' as const }));
const unreachable = new ConnectionError('http://x', 'refused', 'Check.');
const refusal = (status: number) => new ApiError(status, { code: 'REFUSED', message: 'no' });

const failuresOf = ({ boxes }: Outbox) => boxes.get(queueId)?.failures;

/** An outbox, its calls by the ids in them, and the emitted events. */
function watched(answer: Answer) {
  const calls: unknown[][] = [];
  const events: RunnerEvent[] = [];
  const stop = new AbortController();
  const send: SendReports = (_, reports) => {
    calls.push(reports.map(({ id }) => id));
    return answer(reports);
  };
  const outbox = createOutbox(send, (event) => void events.push(event), stop.signal);
  return { outbox, calls, events, stop, typesOf: () => events.map(({ type }) => type) };
}

test('reports that come together go together, and those that come meanwhile go next', async () => {
  const { outbox, calls } = watched(async (reports) => {
    if (reports.length === 2) [3, 4, 5].forEach((id) => addReport(outbox, queueId, report(id)));
    return Promise.resolve(kept(reports));
  });
  addReport(outbox, queueId, report(1));
  addReport(outbox, queueId, report(2));
  await delivered(outbox);
  expect(calls).toEqual([
    [1, 2],
    [3, 4, 5],
  ]);
});

test('a report is sent again until the server answers', async () => {
  const failures = [unreachable, refusal(503), refusal(401)];
  const { outbox, calls, typesOf } = watched((reports) => {
    const failure = failures.shift();
    return failure === undefined ? Promise.resolve(kept(reports)) : Promise.reject(failure);
  });
  addReport(outbox, queueId, report(1));
  await delivered(outbox);
  expect(calls).toEqual([[1], [1], [1], [1]]);
  expect(typesOf()).toEqual(['retrying', 'retrying', 'retrying', 'reported']);
});

test('while reports do not get through, those who wait for recovery are held', async () => {
  let isUp = false;
  const order: string[] = [];
  const { outbox } = watched((reports) => {
    if (!isUp) return Promise.reject(unreachable);
    order.push('answered');
    return Promise.resolve(kept(reports));
  });
  await recovered(outbox, 10);
  addReport(outbox, queueId, report(1));
  await expect.poll(() => failuresOf(outbox)).toBeGreaterThan(0);
  const waiting = recovered(outbox, 10).then(() => order.push('recovered'));
  await nextTurn();
  isUp = true;
  await waiting;
  expect(order).toEqual(['answered', 'recovered']);
});

test('while as many reports wait as may, the next one is held until some are answered', async () => {
  const order: string[] = [];
  let answer = () => {};
  const { outbox } = watched(
    (reports) =>
      new Promise((resolve) => {
        answer = () => resolve(kept(reports));
      }),
  );
  addReport(outbox, queueId, report(1));
  await recovered(outbox, 2);
  addReport(outbox, queueId, report(2));
  const waiting = recovered(outbox, 2).then(() => order.push('recovered'));
  await nextTurn();
  order.push('answered');
  answer();
  await waiting;
  expect(order).toEqual(['answered', 'recovered']);
});

test('a report that is refused by itself is dropped, and the others are kept', async () => {
  const late = { code: 'LATE_REPORT', message: 'late' };
  const { outbox, events } = watched((reports) =>
    Promise.resolve(
      reports.map(({ id }) => (id === 1 ? { id, error: late } : { id, status: 'COMPLETE' as const })),
    ),
  );
  addReport(outbox, queueId, report(1));
  addReport(outbox, queueId, report(2));
  await delivered(outbox);
  expect(events).toEqual([
    { type: 'reportRefused', report: report(1), ...late },
    { type: 'reported', report: report(2), status: 'COMPLETE' },
  ]);
});

test('when a call is refused as a whole its reports go one by one, and the bad one becomes a failure', async () => {
  const { outbox, calls, events } = watched((reports) =>
    reports.some(({ id, status }) => id === 2 && status === 'COMPLETE')
      ? Promise.reject(refusal(400))
      : Promise.resolve(kept(reports)),
  );
  [1, 2, 3].forEach((id) => addReport(outbox, queueId, report(id)));
  await delivered(outbox);
  expect(calls).toEqual([[1, 2, 3], [1], [2], [2], [3]]);
  const reports = events.flatMap((event) => (event.type === 'reported' ? [event.report] : []));
  expect(reports.map(({ id, status }) => [id, status])).toEqual([
    [1, 'COMPLETE'],
    [2, 'FAILED'],
    [3, 'COMPLETE'],
  ]);
  expect(reports[1]?.error).toMatch(/refused the report of the runner: no/);
});

test.each([400, 404])('a server that refuses with %i for good is not asked for ever', async (status) => {
  const { outbox, typesOf } = watched(() => Promise.reject(refusal(status)));
  addReport(outbox, queueId, report(1));
  await delivered(outbox);
  expect(typesOf()).toEqual(['reportRefused']);
});

test('two reports of one item never share a call', async () => {
  const { outbox, calls } = watched((reports) => Promise.resolve(kept(reports)));
  [report(1), report(2), report(1, 5)].forEach((one) => addReport(outbox, queueId, one));
  await delivered(outbox);
  expect(calls).toEqual([[1, 2], [1]]);
});

test('large reports are spread over calls', async () => {
  const { outbox, calls } = watched((reports) => Promise.resolve(kept(reports)));
  const output = { text: 'x'.repeat(900_000) };
  [1, 2, 3].forEach((id) => addReport(outbox, queueId, { ...report(id), output }));
  await delivered(outbox);
  expect(calls).toEqual([[1, 2], [3]]);
});

test('what hinders the reports of one queue does not hold up those of another', async () => {
  const sent: unknown[] = [];
  const send: SendReports = (queue, reports) => {
    sent.push(queue);
    return queue === 1 ? Promise.reject(unreachable) : Promise.resolve(kept(reports));
  };
  const stop = new AbortController();
  const outbox = createOutbox(send, () => undefined, stop.signal);
  addReport(outbox, 1, report(1));
  addReport(outbox, 2, report(2));
  await expect.poll(() => unanswered(outbox)).toEqual([report(1)]);
  expect(sent.slice(0, 2)).toEqual([1, 2]);
  stop.abort();
  await delivered(outbox);
});

test('a stopped outbox keeps what it could not deliver', async () => {
  const { outbox, stop } = watched(() => Promise.reject(unreachable));
  addReport(outbox, queueId, report(1));
  await expect.poll(() => failuresOf(outbox)).toBeGreaterThan(0);
  stop.abort();
  await delivered(outbox);
  expect(unanswered(outbox)).toEqual([report(1)]);
});
