import { once } from 'node:events';
import { request as open, type ClientRequest, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { text as textOf } from 'node:stream/consumers';
import { parseJson, stringifyJson, type Schemas } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { password, startApp } from '../../testing/app.ts';
import { createQueue, type QueueFixture } from '../../testing/fixtures.ts';
import { createCustomers, newMasterKey } from '../../testing/secrets.ts';
import { pathOf } from '../../testing/work.ts';

const app = await startApp();
type Outcome = Schemas['LineOutcome'];

const item = (amount: number) => ({ json: { customer: `customer ${amount}`, amount } });
const linesOf = (...items: readonly unknown[]) => items.map((one) => `${stringifyJson(one)}\n`).join('');
const items = (...amounts: readonly number[]) => linesOf(...amounts.map(item));

let keys = 0;
const newKey = () => `lines-${++keys}`;

interface Sent {
  readonly queueId: number;
  readonly token: string;
  readonly key: string;
  readonly query?: string;
  readonly url?: string;
}

const addressOf = ({ url = app.url, queueId, query = '' }: Sent) =>
  `${url}/v4/wlm/queues/${queueId}/workitems${query}`;
const headersOf = ({ token, key }: Sent) => ({
  'content-type': 'application/x-ndjson',
  'x-authorization': token,
  'idempotency-key': key,
});
const by = ({ id, owner }: QueueFixture, key: string): Sent => ({ queueId: id, token: owner.token, key });

async function send(sent: Sent, body: string) {
  const response = await fetch(addressOf(sent), { method: 'POST', headers: headersOf(sent), body });
  const text = await response.text();
  const outcomes = text
    .trimEnd()
    .split('\n')
    .map((line) => parseJson(line) as Outcome);
  const isReplayed = response.headers.get('idempotency-replayed') === 'true';
  return { status: response.status, isReplayed, text, outcomes };
}

async function responseTo(sending: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  return response;
}

/** Sends some lines, waits for what becomes of each part of them, and goes without having ended. @returns the outcomes */
async function sendAndGo(sent: Sent, ...parts: readonly string[]): Promise<string[]> {
  const sending = open(addressOf(sent), { method: 'POST', headers: headersOf(sent) });
  sending.on('error', () => undefined);
  const answered = responseTo(sending).then((response) => {
    response.on('error', () => undefined);
    return createInterface(response)[Symbol.asyncIterator]();
  });
  const outcomes: string[] = [];
  for (const part of parts) {
    sending.write(part);
    const lines = await answered;
    for (const _ of part.trimEnd().split('\n')) outcomes.push((await lines.next()).value as string);
  }
  sending.destroy();
  return outcomes;
}

async function amountsIn(queue: QueueFixture): Promise<unknown[]> {
  const { body } = await queue.owner.call.listWorkItems({
    path: queue.path,
    body: { page: { length: 10_000 } },
  });
  return body.list.map(({ json }) => json?.['amount']);
}

const codes = (outcomes: readonly Outcome[]) => outcomes.map(({ line, error }) => [line, error?.code]);

describe('createWorkItems by lines with an Idempotency-Key', () => {
  test('createWorkItems answers the same lines with the same key as the first time, and creates nothing', async () => {
    const queue = await createQueue(app);
    const sent = by(queue, newKey());
    const body = `${items(1)}\nno json\n${linesOf({ json: { amount: 'much' } })}${items(2)}`;
    const [first, second] = [await send(sent, body), await send(sent, body)];
    expect(codes(first.outcomes)).toEqual([
      [1, undefined],
      [3, 'INVALID_REQUEST'],
      [4, 'INVALID_REQUEST'],
      [5, undefined],
    ]);
    expect([first.status, first.isReplayed, second.status, second.isReplayed]).toEqual([
      200,
      false,
      200,
      true,
    ]);
    expect(second.text).toBe(first.text);
    expect(await amountsIn(queue)).toEqual([1, 2]);
  });

  test('createWorkItems keeps what became of thousands of lines, portion by portion', async () => {
    const queue = await createQueue(app);
    const sent = by(queue, newKey());
    const body = items(...Array.from({ length: 2600 }, (_, amount) => amount));
    const [first, second] = [await send(sent, body), await send(sent, body)];
    expect(first.outcomes).toHaveLength(2600);
    expect(second.text).toBe(first.text);
    expect(await amountsIn(queue)).toHaveLength(2600);
  });

  test('createWorkItems refuses other lines, another queue, batch or form with the key, and creates nothing of them', async () => {
    const [queue, other] = [await createQueue(app), await createQueue(app)];
    const { body: batch } = await queue.owner.call.createBatch({ path: queue.path, body: { name: 'Lines' } });
    const sent = by(queue, newKey());
    await send(sent, items(1, 2));
    const asJson = await fetch(addressOf(sent), {
      method: 'POST',
      headers: { ...headersOf(sent), 'content-type': 'application/json' },
      body: stringifyJson({ workItems: [item(1), item(2)] }),
    });
    expect([asJson.status, ((await asJson.json()) as Schemas['Error']).code]).toEqual([409, 'KEY_REUSED']);
    const slips = [
      await send(sent, items(1, 3)),
      await send(sent, items(3)),
      await send(sent, `\n${items(1, 2)}`),
      await send({ ...sent, queueId: other.id }, items(1, 2)),
      await send({ ...sent, query: `?batchId=${batch.id}` }, items(1, 2)),
    ];
    expect(slips.map(({ status, outcomes }) => [status, (outcomes[0] as { code?: string }).code])).toEqual(
      slips.map(() => [409, 'KEY_REUSED']),
    );
    expect([await amountsIn(queue), await amountsIn(other)]).toEqual([[1, 2], []]);
  });

  test('createWorkItems ends the answer at lines that are others further on, and creates nothing of them', async () => {
    const queue = await createQueue(app);
    const sent = by(queue, newKey());
    const first = Array.from({ length: 500 }, (_, amount) => amount);
    await send(sent, items(...first, 500));
    const longer = await send(sent, items(...first, 500, 501));
    const shorter = await send(sent, items(...first));
    const changed = await send(sent, items(...first, 7));
    for (const { status, outcomes } of [longer, shorter, changed])
      expect([status, outcomes.at(-1)?.line, outcomes.at(-1)?.error?.code]).toEqual([
        200,
        undefined,
        'KEY_REUSED',
      ]);
    expect(await amountsIn(queue)).toHaveLength(501);
  });

  test('createWorkItems of lines that were cut goes on, with the same key, where the first call had come to', async () => {
    const queue = await createQueue(app);
    const sent = by(queue, newKey());
    const told = await sendAndGo(sent, items(1), items(2, 3));
    const whole = items(1, 2, 3, 4, 5);
    const second = await send(sent, whole);
    expect([second.status, second.isReplayed]).toEqual([200, true]);
    expect(second.text.split('\n').slice(0, 3)).toEqual(told);
    expect(codes(second.outcomes)).toEqual([1, 2, 3, 4, 5].map((line) => [line, undefined]));
    expect((await send(sent, whole)).text).toBe(second.text);
    expect(await amountsIn(queue)).toEqual([1, 2, 3, 4, 5]);
  });

  test('createWorkItems takes lines that came at once also when they come one by one', async () => {
    const queue = await createQueue(app);
    const sent = by(queue, newKey());
    const first = await send(sent, items(1, 2, 3));
    const sending = open(addressOf(sent), { method: 'POST', headers: headersOf(sent) });
    const answered = responseTo(sending);
    for (const amount of [1, 2, 3]) {
      sending.write(items(amount));
      // Each is a piece of its own where it comes in.
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    sending.end();
    expect(await textOf(await answered)).toBe(first.text);
    expect(await amountsIn(queue)).toEqual([1, 2, 3]);
  });

  test('createWorkItems keeps what became of lines that were all refused', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true });
    const [known] = await queue.add(7);
    const sent = by(queue, newKey());
    const first = await send(sent, items(7));
    expect(codes(first.outcomes)).toEqual([[1, 'DUPLICATE']]);
    await queue.owner.call.deleteWorkItem({ path: pathOf(queue, known) });
    expect((await send(sent, items(7))).text).toBe(first.text);
    expect(await amountsIn(queue)).toEqual([]);
    expect(codes((await send(by(queue, newKey()), items(7))).outcomes)).toEqual([[1, undefined]]);
  });

  test('createWorkItems of the same lines by many calls at once creates each once', async () => {
    const queue = await createQueue(app);
    const sent = by(queue, newKey());
    const body = items(...Array.from({ length: 1200 }, (_, amount) => amount));
    const answers = await Promise.all(Array.from({ length: 4 }, () => send(sent, body)));
    const last = await send(sent, body);
    const busy = /"KEY_IN_USE"/;
    for (const { text } of answers)
      expect(text === last.text || busy.test(text), text.slice(-200)).toBe(true);
    expect(await amountsIn(queue)).toHaveLength(1200);
  });

  test('createWorkItems that was refused for what is in no line keeps nothing', async () => {
    const queue = await createQueue(app);
    const sent = by(queue, newKey());
    expect((await send({ ...sent, query: '?batchId=987654321' }, items(1))).status).toBe(404);
    expect(await send(sent, items(2))).toMatchObject({ status: 200, isReplayed: false });
  });

  test('createWorkItems of lines begins anew a day later, with all portions', async () => {
    const queue = await createQueue(app);
    const sent = by(queue, newKey());
    const body = items(...Array.from({ length: 600 }, (_, amount) => amount));
    await send(sent, body);
    await app.sql(
      `update idempotency_keys set created_on = now() - interval '25 hours' where key = $1 and part = 0`,
      [sent.key],
    );
    expect(await send(sent, body)).toMatchObject({ status: 200, isReplayed: false });
    expect(await amountsIn(queue)).toHaveLength(1200);
  });

  test('createWorkItems keeps of many long refusals how each begins', async () => {
    const attributes = Array.from({ length: 25 }, (_, index) => ({
      name: `attribute ${index} that is required`,
      type: 'TEXT' as const,
    }));
    const model = await app.admin.createWorkItemModel({ body: { name: 'Wide', attributes } });
    const settings = { name: 'Wide', workItemModelId: Number(model.body.id) };
    const queueId = Number((await app.admin.createQueue({ body: settings })).body.id);
    const { token } = (await app.as(undefined).logIn({ body: { username: 'admin', password } })).body;
    const sent = { queueId, token, key: newKey() };
    const body = '{"json":{}}\n'.repeat(200);
    const [first, second] = [await send(sent, body), await send(sent, body)];
    expect(first.text.length).toBeGreaterThan(256 * 1024);
    expect(second.text.length).toBeLessThan(256 * 1024);
    expect(codes(second.outcomes)).toEqual(codes(first.outcomes));
    const [one, other] = [first, second].map(({ outcomes }) => outcomes[0]?.error?.message ?? '');
    expect([other?.endsWith('…'), one?.startsWith(other?.slice(0, -1) ?? '?')]).toEqual([true, true]);
  });

  test('createWorkItems with a key takes as many lines as are kept', async () => {
    const queue = await createQueue(app);
    const { status, outcomes } = await send(by(queue, newKey()), `${'\n'.repeat(1_000_000)}${items(1)}`);
    expect([status, (outcomes[0] as { message?: string }).message]).toEqual([
      413,
      expect.stringContaining('has 1000000 lines at most'),
    ]);
    expect(await amountsIn(queue)).toEqual([]);
  });

  test('createWorkItems keeps outcomes encrypted where the tenant has keys, as they may show values', async () => {
    const sealed = await startApp({ masterKey: newMasterKey() });
    const runner = await sealed.user('runner', ['AAE_Basic', 'AAE_Bot Runner']);
    const { id: queueId } = await createCustomers(sealed, runner);
    const { token } = (await sealed.as(undefined).logIn({ body: { username: 'admin', password } })).body;
    const sent = { queueId, token, key: newKey(), url: sealed.url };
    const body = `${linesOf({ json: { customer: 'Ada' } })}{"json":{"customer":"Lovelace"\n`;
    const [first, second] = [await send(sent, body), await send(sent, body)];
    expect(codes(first.outcomes)).toEqual([
      [1, undefined],
      [2, 'INVALID_REQUEST'],
    ]);
    expect([second.isReplayed, second.text]).toEqual([true, first.text]);
    const kept = await sealed.sql<{ answer: object }>(`select answer from idempotency_keys where key = $1`, [
      sent.key,
    ]);
    expect(kept.map(({ answer }) => Object.keys(answer).toSorted())).toEqual([
      ['$sealed', 'tenantId'],
      ['$sealed', 'tenantId'],
    ]);
  });
});
