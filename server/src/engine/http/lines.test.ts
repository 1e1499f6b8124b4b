import { once } from 'node:events';
import { request as open } from 'node:http';
import { createInterface } from 'node:readline';
import { parseJson, stringifyJson, type Schemas } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { startApp } from '../../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../../testing/fixtures.ts';

const app = await startApp();
type Outcome = Schemas['LineOutcome'];

const linesOf = (items: readonly unknown[]) => items.map((item) => `${stringifyJson(item)}\n`).join('');
const item = (amount: number) => ({ json: { customer: `customer ${amount}`, amount } });

function headersOf(queue: QueueFixture, token = queue.owner.token) {
  return { 'content-type': 'application/x-ndjson', 'x-authorization': token };
}

const addressOf = (queue: QueueFixture) => `${app.url}/v4/wlm/queues/${queue.id}/workitems`;

async function send(queue: QueueFixture, body: string, query = '', token?: string) {
  const address = `${addressOf(queue)}${query}`;
  const response = await fetch(address, { method: 'POST', headers: headersOf(queue, token), body });
  const text = await response.text();
  const outcomes = text
    .trimEnd()
    .split('\n')
    .map((line) => parseJson(line) as Outcome);
  return { status: response.status, type: response.headers.get('content-type'), outcomes };
}

async function amountsIn(queue: QueueFixture): Promise<unknown[]> {
  const { body } = await queue.owner.call.listWorkItems({
    path: queue.path,
    body: { page: { length: 10_000 } },
  });
  return body.list.map(({ json }) => json?.['amount']);
}

/** A request whose parts are sent step by step by the test. */
function begin(queue: QueueFixture) {
  const sending = open(addressOf(queue), { method: 'POST', headers: headersOf(queue) });
  const answered = once(sending, 'response').then(([response]) =>
    createInterface(response)[Symbol.asyncIterator](),
  );
  return { sending, answered };
}

describe('createWorkItems by lines', () => {
  test('createWorkItems stores each line that is an item, and answers what became of each by its number', async () => {
    const queue = await createQueue(app);
    const body = `${linesOf([item(1)])}\r\n{"json":{"customer":"x","amount":"much"}}\nno json\n{"json":{"customer":"y"},"priorty":3}\r\n${stringifyJson(item(2))}`;
    const { status, type, outcomes } = await send(queue, body);
    expect([status, type]).toEqual([200, 'application/x-ndjson']);
    expect(outcomes.map(({ line, id, error }) => [line, typeof id, error?.code])).toEqual([
      [1, 'number', undefined],
      [3, 'undefined', 'INVALID_REQUEST'],
      [4, 'undefined', 'INVALID_REQUEST'],
      [5, 'undefined', 'INVALID_REQUEST'],
      [6, 'number', undefined],
    ]);
    expect(outcomes[1]?.error).toEqual({
      code: 'INVALID_REQUEST',
      message: 'amount must be a number that a double can approximate, not "much".',
      details: [{ field: 'amount', message: 'must be a number that a double can approximate, not "much"' }],
    });
    expect(outcomes[3]?.error?.message).toContain('priorty');
    expect(await amountsIn(queue)).toEqual([1, 2]);
  });

  test('createWorkItems puts lines into the batch that the address names, and refuses each of another', async () => {
    const queue = await createQueue(app);
    const { body: batch } = await queue.owner.call.createBatch({ path: queue.path, body: { name: 'Lines' } });
    const { outcomes } = await send(queue, linesOf([item(1), item(2)]), `?batchId=${batch.id}`);
    expect(outcomes.map(({ line, error }) => [line, error])).toEqual([
      [1, undefined],
      [2, undefined],
    ]);
    const path = { ...queue.path, batchId: Number(batch.id) };
    expect((await queue.owner.call.getBatch({ path })).body.received).toBe(2);
    const refused = await send(queue, linesOf([item(3)]), '?batchId=987654321');
    expect(refused).toMatchObject({
      status: 404,
      outcomes: [{ message: 'There is no batch 987654321 in this queue.' }],
    });
  });

  test('createWorkItems stores many more lines than a call in JSON may have, in their order', async () => {
    const queue = await createQueue(app);
    const count = 12_000;
    const { outcomes } = await send(
      queue,
      linesOf(Array.from({ length: count }, (_, amount) => item(amount))),
    );
    expect(outcomes.length).toBe(count);
    expect(outcomes.every(({ line, id }, index) => line === index + 1 && id !== undefined)).toBe(true);
    const ids = outcomes.map(({ id }) => Number(id));
    expect(ids.toSorted((one, other) => one - other)).toEqual(ids);
    expect(await queue.claim(1)).toMatchObject([{ json: { amount: 0 } }]);
  });

  test('createWorkItems refuses lines that equal an item or a line before, and takes the others', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true });
    const [known] = await queue.add(7);
    const { outcomes } = await send(queue, linesOf([item(1), item(7), item(2), item(1), item(3)]));
    expect(outcomes.map(({ line, error }) => [line, error?.code, error?.message])).toEqual([
      [1, undefined, undefined],
      [2, 'DUPLICATE', `equals item ${known?.id}.`],
      [3, undefined, undefined],
      [4, 'DUPLICATE', 'equals line 1.'],
      [5, undefined, undefined],
    ]);
    expect(await amountsIn(queue)).toEqual([7, 1, 2, 3]);
  });

  test('createWorkItems answers lines while others are still to be sent', async () => {
    const queue = await createQueue(app);
    const { sending, answered } = begin(queue);
    sending.write(linesOf([item(1)]));
    const outcomes = await answered;
    expect(parseJson((await outcomes.next()).value as string)).toMatchObject({ line: 1 });
    expect(await amountsIn(queue)).toEqual([1]);
    sending.end(linesOf([item(2)]));
    expect(parseJson((await outcomes.next()).value as string)).toMatchObject({ line: 2 });
    expect((await outcomes.next()).done).toBe(true);
  });

  test('createWorkItems keeps what was answered when the connection breaks, and nothing of a line that is cut', async () => {
    const queue = await createQueue(app);
    const { sending, answered } = begin(queue);
    sending.on('error', () => undefined);
    sending.write(`${linesOf([item(1), item(2)])}{"json":{"customer":"cu`);
    const outcomes = await answered;
    await outcomes.next();
    const ended = outcomes.next().then(() => outcomes.next());
    ended.catch(() => undefined);
    sending.destroy();
    expect(await amountsIn(queue)).toEqual([1, 2]);
    expect((await send(queue, linesOf([item(3)]))).outcomes).toMatchObject([{ line: 1 }]);
  });

  test('createWorkItems ends with a line that is about none when the queue takes no more', async () => {
    const queue = await createQueue(app);
    const { sending, answered } = begin(queue);
    sending.write(linesOf([item(1)]));
    const outcomes = await answered;
    await outcomes.next();
    await queue.owner.call.archiveQueue({ path: queue.path });
    sending.write(linesOf([item(2)]));
    const last = parseJson((await outcomes.next()).value as string) as Outcome;
    expect([last.line, last.error?.code]).toEqual([undefined, 'STATUS_CONFLICT']);
    expect((await outcomes.next()).done).toBe(true);
    sending.destroy();
    expect(await amountsIn(queue)).toEqual([1]);
  });

  test('createWorkItems refuses a body without lines, and a caller who may not put items in', async () => {
    const queue = await createQueue(app);
    expect(await send(queue, '\n\n')).toMatchObject({ status: 400, outcomes: [{ code: 'INVALID_REQUEST' }] });
    expect((await send(queue, linesOf([item(1)]), '', queue.consumer.token)).status).toBe(403);
    const response = await fetch(`${addressOf(queue)}/list`, {
      method: 'POST',
      headers: headersOf(queue),
      body: '{}\n',
    });
    expect([response.status, ((await response.json()) as Schemas['Error']).message]).toEqual([
      415,
      expect.stringContaining('takes no lines of JSON'),
    ]);
  });

  test('createWorkItems lets a line go that is longer than any item, and takes the next', async () => {
    const queue = await createQueue(app);
    const long = `{"json":{"customer":"${'x'.repeat(9 * 1024 * 1024)}"}}\n`;
    const { outcomes } = await send(queue, long + linesOf([item(1)]));
    expect(outcomes.map(({ line, error }) => [line, error?.code])).toEqual([
      [1, 'TOO_LARGE'],
      [2, undefined],
    ]);
  });

  test('createWorkItems takes as many bodies of lines of a user as may be under way', async () => {
    const queue = await createQueue(app);
    const many = Array.from({ length: 4 }, () => begin(queue));
    for (const { sending } of many) sending.write(linesOf([item(1)]));
    await Promise.all(many.map(({ answered }) => answered));
    expect((await send(queue, linesOf([item(2)]))).status).toBe(429);
    for (const { sending } of many) sending.end();
    const later = await eventually(
      () => send(queue, linesOf([item(3)])),
      ({ status }) => status === 200,
    );
    expect(later.outcomes).toMatchObject([{ line: 1 }]);
  });
});
