import { beforeAll, describe, expect, it } from 'vitest';
import type { App, TestUser } from '../testing/app.ts';
import { createCustomers, mask, startSealedApp, tablesWith } from '../testing/secrets.ts';

let app: App;
let runner: TestUser;
beforeAll(async () => {
  app = await startSealedApp();
  runner = await app.user('runner', ['AAE_Bot Runner']);
});

const person = {
  customer: 'Canary Meier',
  amount: 12,
  iban: 'DE02CANARY',
  born: '1970-02-03',
  score: 734519.25,
};
const canaries = ['Canary Meier', 'DE02CANARY', '1970-02-03', '734519.25'];

describe('sensitive values', () => {
  it('createWorkItems, listWorkItems and getWorkItem show masks, and the database has no value', async () => {
    const queue = await createCustomers(app, runner);
    const [created] = await queue.add(person);
    const shown = { customer: mask, amount: 12, iban: mask, born: mask, score: mask };
    expect(created).toMatchObject({ json: shown, col1: '•••', col2: '12', col3: '•••' });
    const { body } = await app.admin.listWorkItems({ path: queue.path });
    expect(body.list[0]).toMatchObject({ json: shown, col1: '•••', col2: '12', col3: '•••' });
    const read = await app.admin.getWorkItem({ path: queue.itemPath(created) });
    expect(read.body.json).toEqual(shown);
    for (const canary of canaries) expect(await tablesWith(app, canary)).toEqual([]);
  });

  it('claimWorkItems hands the holder plain values, as does getWorkItem while it holds the item', async () => {
    const queue = await createCustomers(app, runner);
    await queue.add(person);
    const [item] = await queue.claim();
    expect(item).toMatchObject({ json: person, col1: 'Canary Meier', col3: 'DE02CANARY' });
    const path = queue.itemPath(item);
    expect((await runner.call.getWorkItem({ path })).body.json).toEqual(person);
    expect((await app.admin.getWorkItem({ path })).body.json?.['customer']).toEqual(mask);
    const results = [
      { id: item?.id as number, version: item?.version as number, status: 'COMPLETE' as const },
    ];
    await runner.call.finishWorkItems({ path: queue.path, body: { results } });
    expect((await runner.call.getWorkItem({ path })).body.json?.['customer']).toEqual(mask);
  });

  it('finishWorkItems encrypts what an output has under the name of a sensitive attribute', async () => {
    const queue = await createCustomers(app, runner);
    await queue.add(person);
    const [item] = await queue.claim();
    const lease = { id: item?.id as number, version: item?.version as number };
    const output = { iban: { old: 'DE99CANARY' }, receipt: 'R-1' };
    const results = [{ ...lease, status: 'COMPLETE' as const, output }];
    await runner.call.finishWorkItems({ path: queue.path, body: { results } });
    const path = queue.itemPath(item);
    expect((await app.admin.getWorkItem({ path })).body.output).toEqual({ iban: mask, receipt: 'R-1' });
    expect(await tablesWith(app, 'DE99CANARY')).toEqual([]);
    const reveal = await app.admin.revealWorkItem({ path, body: { reason: 'a test' } });
    expect(reveal.body.output).toEqual(output);
  });

  it('updateWorkItem keeps an output that is sent back masked', async () => {
    const queue = await createCustomers(app, runner);
    await queue.add(person);
    const [item] = await queue.claim();
    const lease = { id: item?.id as number, version: item?.version as number };
    const output = { iban: 'DE98CANARY', receipt: 'R-1' };
    const results = [{ ...lease, status: 'FAILED' as const, error: 'x', output }];
    await runner.call.finishWorkItems({ path: queue.path, body: { results } });
    const path = queue.itemPath(item);
    const { body: read } = await app.admin.getWorkItem({ path });
    const body = {
      id: lease.id,
      queueId: queue.id,
      version: read.version,
      output: read.output,
      comment: 'seen',
    };
    const updated = await app.admin.updateWorkItem({ path, body: body as never });
    expect(updated.status, JSON.stringify(updated.error)).toBe(200);
    const reveal = await app.admin.revealWorkItem({ path, body: { reason: 'a test' } });
    expect(reveal.body.output).toEqual(output);
  });

  it('updateWorkItem keeps what is sent back masked, and records no value', async () => {
    const queue = await createCustomers(app, runner);
    const [created] = await queue.add(person);
    const path = queue.itemPath(created);
    const { body: item } = await app.admin.getWorkItem({ path });
    const json = { ...item.json, amount: 13, iban: 'DE03CANARY' };
    const body = { id: item.id, queueId: queue.id, version: item.version, json };
    const updated = await app.admin.updateWorkItem({ path, body: body as never });
    expect(updated.status, JSON.stringify(updated.error)).toBe(200);
    expect(updated.body.json).toEqual({ customer: mask, amount: 13, iban: mask, born: mask, score: mask });
    const [claimed] = await queue.claim();
    expect(claimed?.json).toEqual({ ...person, amount: 13, iban: 'DE03CANARY' });
    const { body: timeline } = await app.admin.listWorkItemEvents({ path });
    expect(timeline.list.find(({ operation }) => operation === 'updateWorkItem')?.changes?.['json']).toEqual({
      customer: mask,
      amount: 13,
      iban: mask,
      born: mask,
      score: mask,
    });
    const { body: feed } = await app.admin.listEvents({ query: { queueId: queue.id } });
    expect(JSON.stringify(feed)).not.toContain('CANARY');
    expect(await tablesWith(app, 'DE03CANARY')).toEqual([]);
  });

  it.each([
    ['a mask', mask],
    ['the text of a mask', '•••'],
    ['what looks encrypted', { $sealed: '1.1.AAAA', hash: 'x' }],
  ])('createWorkItems refuses %s, and shows no value', async (_, customer) => {
    const queue = await createCustomers(app, runner);
    const workItems = [{ json: { customer, score: 'Canary Score' } }];
    const { status, error } = await app.admin.createWorkItems({ path: queue.path, body: { workItems } });
    expect(status).toBe(400);
    expect(error.details?.map(({ field }) => field)).toEqual(['customer', 'score']);
    expect(error.message + JSON.stringify(error.details)).not.toContain('Canary');
  });

  it('updateWorkItem refuses what looks encrypted', async () => {
    const queue = await createCustomers(app, runner);
    const [one, other] = await queue.add(person, { customer: 'Somebody' });
    const rows = await app.sql<{ json: { customer: object } }>(
      'select json from work_item_data where item_id = $1',
      [one?.id],
    );
    const path = queue.itemPath(other);
    const { body: item } = await app.admin.getWorkItem({ path });
    const json = { customer: rows[0]?.json.customer };
    const body = { id: item.id, queueId: queue.id, version: item.version, json };
    const { status, error } = await app.admin.updateWorkItem({ path, body: body as never });
    expect(status).toBe(400);
    expect(error.message).toContain('json: customer must be a text');
  });

  it('updateWorkItemStatus edits, moves and deletes items with sensitive values', async () => {
    const queue = await createCustomers(app, runner);
    const [created] = await queue.add(person);
    const target = await app.admin.createQueue({
      body: { name: `${queue.name} moved`, workItemModelId: queue.modelId },
    });
    const ids = [created?.id as number];
    const edit = { action: 'EDIT', ids, json: { iban: 'DE04CANARY' } } as const;
    const change = (body: object) => app.admin.updateWorkItemStatus({ path: queue.path, body });
    expect((await change(edit)).body.changed).toBe(1);
    expect((await change(edit)).body).toMatchObject({ changed: 0, unchanged: 1 });
    expect((await change({ action: 'MOVE', ids, queueId: target.body.id })).body.changed).toBe(1);
    const path = { id: Number(target.body.id), workItemId: ids[0] as number };
    const revealed = await app.admin.revealWorkItem({ path, body: { reason: 'a test' } });
    expect(revealed.body.json).toEqual({ ...person, iban: 'DE04CANARY' });
    await app.admin.deleteWorkItem({ path });
    for (const canary of [...canaries, 'DE04CANARY']) expect(await tablesWith(app, canary)).toEqual([]);
  });

  it('claimWorkItems keeps its answer for a repeated call in encrypted form only', async () => {
    const queue = await createCustomers(app, runner);
    await queue.add(person);
    const call = () =>
      fetch(`${app.url}/v4/wlm/queues/${queue.id}/workitems/claim`, {
        method: 'POST',
        headers: {
          'x-authorization': runner.token,
          'content-type': 'application/json',
          'idempotency-key': 'once',
        },
        body: '{}',
      });
    const first: unknown = await (await call()).json();
    expect(await tablesWith(app, 'Canary Meier')).toEqual([]);
    expect(await (await call()).json()).toEqual(first);
    expect(JSON.stringify(first)).toContain('Canary Meier');
  });
});

describe('revealWorkItem', () => {
  it('revealWorkItem answers the attributes asked for, and is on record with who and why', async () => {
    const queue = await createCustomers(app, runner);
    const [created] = await queue.add(person);
    const path = queue.itemPath(created);
    const body = { reason: 'ticket 4711', attributes: ['iban'] };
    const revealed = await app.admin.revealWorkItem({ path, body });
    expect(revealed.body.json).toEqual({
      customer: mask,
      amount: 12,
      iban: 'DE02CANARY',
      born: mask,
      score: mask,
    });
    const { body: events } = await app.admin.listWorkItemEvents({ path });
    expect(events.list.at(-1)).toMatchObject({
      operation: 'revealWorkItem',
      actorName: 'admin',
      reason: 'ticket 4711',
      changes: { attributes: ['iban'] },
    });
    const unknown = await app.admin.revealWorkItem({ path, body: { reason: 'x', attributes: ['amount'] } });
    expect(unknown.error.message).toContain('has customer, iban, born, score');
  });

  it('revealWorkItem needs the permission revealSensitive', async () => {
    const queue = await createCustomers(app, runner);
    const [created] = await queue.add(person);
    const path = queue.itemPath(created);
    const { status } = await runner.call.revealWorkItem({ path, body: { reason: 'curious' } });
    expect(status).toBe(403);
    expect(JSON.stringify((await app.admin.listWorkItemEvents({ path })).body)).not.toContain('curious');
  });
});

describe('values that were moved in the database', () => {
  it('revealWorkItem opens no value that was copied to another item', async () => {
    const queue = await createCustomers(app, runner);
    const [one, other] = await queue.add(person, { customer: 'Somebody' });
    await app.sql(
      `update work_item_data set json = (select json from work_item_data where item_id = $1) where item_id = $2`,
      [one?.id, other?.id],
    );
    const path = queue.itemPath(other);
    const { status, error } = await app.admin.revealWorkItem({ path, body: { reason: 'a test' } });
    expect(status).toBe(500);
    expect(JSON.stringify(error)).not.toContain('Canary');
  });
});
