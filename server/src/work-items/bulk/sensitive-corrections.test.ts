import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App, Caller, TestUser } from '../../testing/app.ts';
import { eventually } from '../../testing/fixtures.ts';
import { createCustomers, mask, startSealedApp, tablesWith } from '../../testing/secrets.ts';

let app: App;
let runner: TestUser;
beforeAll(async () => {
  app = await startSealedApp();
  runner = await app.user('runner', ['AAE_Bot Runner']);
});

type Customers = Awaited<ReturnType<typeof createCustomers>>;

const correct = async ({ path }: Customers, rows: object[]) => {
  const { status, body } = await app.admin.updateWorkItems({ path, body: { rows } as never });
  expect(status).toBe(200);
  return body;
};

const row = (item: Schemas['WorkItem'] | undefined, json: object) => ({ id: item?.id, version: 0, json });

const person = { customer: 'Canary Row', score: 1.5, iban: 'DE00CANARY' };
const forged = { $sealed: 'x', hash: 'y' };

describe('updateWorkItems with sensitive attributes', () => {
  it.for<[string, object, string]>([
    ['a forged sealed value', { score: forged }, 'score must be a number'],
    ['a forged one that looks masked', { score: { ...mask, ...forged } }, 'score must be a number'],
    ['a value of another type', { score: 'not a number' }, 'score must be a number'],
    ['the text of a mask', { score: '•••' }, 'score is masked'],
    ['a mask of a plain attribute', { amount: mask }, 'amount must be a number'],
    ['no value of a required attribute', { customer: null }, 'customer is required'],
    ['an object with large numbers', { score: { deep: 12345678901234567890n } }, 'score must be a number'],
  ])('refuses the row with %s, and no other', async ([, json, message]) => {
    const queue = await createCustomers(app, runner);
    const [bad, good] = await queue.add(person, person);
    const body = await correct(queue, [row(bad, json), row(good, { score: 2.5 })]);
    expect(body.list.map(({ outcome }) => outcome)).toEqual(['REFUSED', 'CHANGED']);
    expect(body.list[0]?.error).toMatchObject({ code: 'INVALID_REQUEST' });
    expect(body.list[0]?.error?.message).toContain(message);
    expect(body.list[0]?.error?.message).not.toContain('not a number');
    const claimed = await queue.claim(2);
    expect(claimed.map((item) => item.json)).toEqual([person, { ...person, score: 2.5 }]);
  });

  it('keeps what is masked, and stores what is not encrypted', async () => {
    const queue = await createCustomers(app, runner);
    const [kept, changed, none] = await queue.add(person, person, { customer: 'Canary None' });
    const { list } = await correct(queue, [
      row(kept, { score: mask, amount: 3 }),
      row(changed, { customer: 'Canary Corrected', score: null }),
      row(none, { score: mask }),
    ]);
    expect(list.map(({ outcome }) => outcome)).toEqual(['CHANGED', 'CHANGED', 'UNCHANGED']);
    expect(await tablesWith(app, 'Canary Corrected')).toEqual([]);
    expect((await queue.claim(3)).map(({ json }) => json)).toEqual([
      { ...person, amount: 3 },
      { customer: 'Canary Corrected', iban: person.iban },
      { customer: 'Canary None' },
    ]);
  });
});

describe('a guess at a sensitive value', () => {
  it.each([true, false])(
    'updateWorkItems and updateWorkItemStatus tell nobody without the right to it whether it is right, with dryRun %j',
    async (dryRun) => {
      const queue = await createCustomers(app, runner);
      const [item] = await queue.add(person);
      const guesser = await app.user(`guesser ${dryRun}`);
      await app.admin.addOrUpdateQueueMember({ path: { ...queue.path, userId: guesser.id }, body: {} });
      const version = async () => (await app.admin.getWorkItem({ path: queue.itemPath(item) })).body.version;
      const guess = async (call: Caller, iban: string) => {
        const rows = [{ id: item?.id as number, version: Number(await version()), json: { iban } }];
        const { list } = (await call.updateWorkItems({ path: queue.path, body: { rows, dryRun: true } }))
          .body;
        const edit = { action: 'EDIT' as const, json: { iban }, ids: [item?.id as number], dryRun };
        const { changed } = (await call.updateWorkItemStatus({ path: queue.path, body: edit })).body;
        return [list[0]?.outcome, changed];
      };
      expect(await guess(app.admin, person.iban)).toEqual(['UNCHANGED', 0]);
      for (const iban of [person.iban, 'DE00OTHER', 'DE00OTHER', person.iban])
        expect(await guess(guesser.call, iban)).toEqual(['CHANGED', 1]);
      const { body } = await app.admin.revealWorkItem({ path: queue.itemPath(item), body: { reason: 'x' } });
      expect(body.json).toMatchObject({ iban: person.iban });
    },
  );
});

const rekeyed = (queue: Customers) =>
  eventually(
    async () => (await app.admin.getQueue({ path: queue.path })).body,
    ({ rekeying }) => !rekeying,
  );

const reorder = (queue: Customers) =>
  app.admin.updateQueue({ path: queue.path, body: { version: 0, workItemProcessingOrders: ['amount'] } });

describe('rekeyQueues', () => {
  it('leaves a value that cannot be opened as it is, and does all others', async () => {
    const queue = await createCustomers(app, runner);
    const [bad] = await queue.add(person, { ...person, customer: 'Somebody' });
    await app.sql(
      `update work_item_data set json = (json::jsonb || '{"score":{"$sealed":"x","hash":"y"}}')::json where item_id = $1`,
      [bad?.id],
    );
    expect((await reorder(queue)).status).toBe(200);
    expect(await rekeyed(queue)).toMatchObject({ workItemProcessingOrders: ['amount'] });
    const [{ json } = {}] = await app.sql<{ json: object }>(
      'select json from work_item_data where item_id = $1',
      [bad?.id],
    );
    expect(json).toMatchObject({ score: forged });
    const path = queue.itemPath(bad);
    const plain = await app.admin.revealWorkItem({ path, body: { reason: 'x', attributes: ['iban'] } });
    expect(plain.body.json).toMatchObject({ iban: person.iban });
  });

  it('does the other queues when one fails', async () => {
    const [broken, sound] = [await createCustomers(app, runner), await createCustomers(app, runner)];
    await broken.add(person);
    await sound.add(person);
    await app.sql(
      `create function fail() returns trigger language plpgsql as 'begin raise exception ''broken''; end'`,
    );
    await app.sql(
      `create trigger fails before update of rekey_after on queues for each row
       when (old.id = ${broken.id} and old.rekey_after is not null) execute function fail()`,
    );
    expect((await reorder(broken)).status).toBe(200);
    expect((await reorder(sound)).status).toBe(200);
    expect(await rekeyed(sound)).toMatchObject({ workItemProcessingOrders: ['amount'] });
    expect((await app.admin.getQueue({ path: broken.path })).body.rekeying).toBe(true);
    await app.sql('drop trigger fails on queues');
    expect(await rekeyed(broken)).toMatchObject({ workItemProcessingOrders: ['amount'] });
  });
});
