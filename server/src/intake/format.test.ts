import type { Input, Schemas } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';

const app = await startApp();

type Query = Input<'createWorkItemsFromFile'>['query'];

const german = { dateFormat: 'dd.mm.yyyy', decimalSign: 'COMMA', timeZone: 'Europe/Berlin' } as const;
const french = { dateFormat: 'dd/mm/yyyy', decimalSign: 'COMMA', timeZone: 'Europe/Paris' } as const;

function upload(queue: QueueFixture, text: string, query: Query = {}) {
  const body = { file: new Blob([text]) };
  return queue.owner.call.createWorkItemsFromFile({ path: queue.path, query, body });
}

const recordsIn = async (queue: QueueFixture) => (await queue.claim(10)).map(({ json }) => json);

async function change(queue: QueueFixture, intakeFormat: Schemas['IntakeFormat']) {
  const { body } = await queue.owner.call.getQueue({ path: queue.path });
  return queue.owner.call.updateQueue({
    path: queue.path,
    body: { version: Number(body.version), intakeFormat },
  });
}

describe('the intakeFormat of a queue', () => {
  test('createWorkItemsFromFile reads dates, numbers and times as the queue has it: a German file', async () => {
    const queue = await createQueue(app, { intakeFormat: german });
    const { body } = await upload(
      queue,
      'customer;amount;due\nJane;1.234,5;01.02.2026 09:30\nJoe;-7,25;1.7.2026 09:30\n',
    );
    expect(body).toMatchObject({ created: 2, rejected: 0, intakeFormat: german });
    expect(await recordsIn(queue)).toEqual([
      { customer: 'Jane', amount: 1234.5, due: '2026-02-01T08:30:00Z' },
      { customer: 'Joe', amount: -7.25, due: '2026-07-01T07:30:00Z' },
    ]);
  });

  test('createWorkItemsFromFile reads as the queue has it also when it stores the file later: a French file', async () => {
    const queue = await createQueue(app, { intakeFormat: french });
    const file = 'customer;amount;due\nZoé;1\u202f234,5;01/02/2026\n';
    const { status, body } = await upload(queue, file, { async: true });
    expect(status).toBe(202);
    const path = { ...queue.path, uploadId: Number(body.uploadId) };
    const stored = () => queue.owner.call.getUpload({ path });
    const ended = await eventually(stored, ({ body: { state } }) => state !== 'READING');
    expect(ended.body).toMatchObject({ created: 1, rejected: 0, intakeFormat: french });
    expect(await recordsIn(queue)).toEqual([{ customer: 'Zoé', amount: 1234.5, due: '2026-02-01' }]);
  });

  test('createWorkItemsFromFile takes what the request says before what the queue does, each by itself', async () => {
    const queue = await createQueue(app, { intakeFormat: german });
    const file = 'customer;amount;due\nJane;1.234,5;02/01/2026 09:30\n';
    const { body } = await upload(queue, file, { dateFormat: 'mm/dd/yyyy', timeZone: 'America/New_York' });
    expect(body).toMatchObject({
      created: 1,
      intakeFormat: { dateFormat: 'mm/dd/yyyy', decimalSign: 'COMMA', timeZone: 'America/New_York' },
    });
    expect(await recordsIn(queue)).toEqual([
      { customer: 'Jane', amount: 1234.5, due: '2026-02-01T14:30:00Z' },
    ]);
  });

  test('createWorkItemsFromFile reads a file anew when the queue has another format by then, and knows it under options in any order', async () => {
    const queue = await createQueue(app);
    const file = 'customer;amount\nJane;1,5\n';
    const failed = (await upload(queue, file)).body;
    expect(failed).toMatchObject({ created: 0, rejected: 1 });
    expect((await change(queue, german)).status).toBe(200);
    expect((await upload(queue, file)).status).toBe(409);
    const path = { ...queue.path, uploadId: Number(failed.uploadId) };
    await queue.owner.call.undoUpload({ path, body: {} });
    const { body } = await upload(queue, file);
    expect(body).toMatchObject({ created: 1, rejected: 0 });
    const { timeZone, decimalSign, dateFormat } = german;
    const same = await upload(queue, file, { timeZone, decimalSign, dateFormat });
    expect(same.body).toMatchObject({ uploadId: body.uploadId, repeated: true });
  });

  test('previewFile and its proposals read as the queue has it', async () => {
    const queue = await createQueue(app, { intakeFormat: french });
    const look = (query: Query = {}) =>
      queue.owner.call.previewFile({
        path: queue.path,
        query,
        body: { file: new Blob(['customer;amount;due\nZoé;1.234,5;01/02/2026\n']) },
      });
    const { body } = await look();
    expect(body.rows[0]).toMatchObject({
      json: { customer: 'Zoé', amount: 1234.5, due: '2026-02-01' },
      problems: [],
    });
    expect(body.intakeFormat).toEqual(french);
    expect([body.dateFormat, body.decimalSign]).toEqual([undefined, undefined]);
    expect(body.model.attributes.map(({ type }) => type)).toEqual(['TEXT', 'NUMBER', 'DATE']);
    const other = await look({ dateFormat: 'mm/dd/yyyy' });
    expect(other.body.rows[0]?.json).toMatchObject({ due: '2026-01-02' });
  });

  test('exportWorkItems writes decimals as the queue has it, so that what is sent back is the same', async () => {
    const queue = await createQueue(app, { intakeFormat: { decimalSign: 'COMMA' } });
    await upload(queue, 'customer;amount\nJane;1,125\n');
    const written = async (body: object) => {
      const answer = await fetch(`${app.url}/v4/wlm/queues/${queue.id}/workitems/export`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-authorization': queue.owner.token },
        body: JSON.stringify({ fields: ['json'], attributes: ['customer', 'amount'], ...body }),
      });
      return answer.text();
    };
    const file = await written({});
    expect(file).toBe('customer,amount\r\nJane,"1,125"\r\n');
    expect(await written({ decimalSign: 'POINT' })).toContain('Jane,1.125');
    await upload(queue, file);
    expect((await recordsIn(queue)).map((one) => one?.['amount'])).toEqual([1.125, 1.125]);
  });
});

describe('settings', () => {
  test('createQueue and updateQueue refuse a time zone or a date format that is none, and name the member', async () => {
    const queue = await createQueue(app);
    const { status, error } = await change(queue, { timeZone: 'Europe/Atlantis', dateFormat: 'mm/yyyy' });
    expect(status).toBe(400);
    expect(error.details).toEqual([
      { field: 'intakeFormat.dateFormat', message: expect.stringContaining('is made of yyyy') },
      {
        field: 'intakeFormat.timeZone',
        message: 'is no time zone: "Europe/Atlantis". It is one such as UTC or Europe/Berlin',
      },
    ]);
    const { workItemModelId } = (await queue.owner.call.getQueue({ path: queue.path })).body;
    const other = await queue.owner.call.createQueue({
      body: {
        name: 'With a zone that is none',
        workItemModelId: Number(workItemModelId),
        intakeFormat: { timeZone: 'x' },
      },
    });
    expect([other.status, other.error.message]).toEqual([
      400,
      expect.stringContaining('intakeFormat.timeZone is no time zone'),
    ]);
    const sent = await upload(queue, 'customer\nJane\n', { timeZone: 'Europe/Atlantis' });
    expect(sent.error).toMatchObject({ code: 'INVALID_REQUEST', details: [{ field: 'timeZone' }] });
  });

  test('updateQueue replaces the format as a whole, takes it away by an empty one, and records it', async () => {
    const queue = await createQueue(app, { intakeFormat: german });
    const read = async () => (await queue.owner.call.getQueue({ path: queue.path })).body.intakeFormat;
    expect(await read()).toEqual(german);
    await change(queue, { decimalSign: 'POINT' });
    expect(await read()).toEqual({ decimalSign: 'POINT' });
    await change(queue, {});
    expect(await read()).toBeUndefined();
    const { body } = await queue.owner.call.listEvents({
      query: { queueId: queue.id, operation: 'updateQueue' },
    });
    expect(body.list.map(({ changes }) => changes)).toEqual([
      { intakeFormat: { decimalSign: 'POINT' } },
      { intakeFormat: {} },
    ]);
  });
});
