import { expect } from 'vitest';
import type { Schemas } from '@millrace/api';
import type { TestUser } from '../../server/src/testing/app.ts';
import { seal } from '../../server/src/testing/audit.ts';
import { keyFile } from '../../server/src/testing/key-file.ts';
import { createCustomers, tablesWith } from '../../server/src/testing/secrets.ts';
import { beginWriter } from '../../server/src/testing/writer.ts';
import type { Attack, Place } from './attack.ts';

const sealingKeyFile = keyFile();
let auditor: Promise<TestUser> | undefined;
const canary = 'Canary Person';
const record = { customer: canary, amount: 1, iban: 'DE00CANARY', score: 918273.5 };

type Customers = Awaited<ReturnType<typeof createCustomers>>;
type Item = Schemas['WorkItem'];

/** A reading of an item with sensitive values, none of which may be in it. */
function masked(
  tried: string,
  read: (place: Place, queue: Customers, item: Item) => Promise<unknown>,
): Attack {
  return {
    tried,
    outcome: 'masks in the place of personal and secret values',
    run: async (place) => {
      const queue = await createCustomers(place.app, place.queue.consumer);
      const [item] = await queue.add(record);
      const text = JSON.stringify(await read(place, queue, item as Item));
      expect(text).toContain('•••');
      for (const value of [canary, 'DE00CANARY', '918273']) expect(text).not.toContain(value);
    },
  };
}

const change = (queue: Customers, item: Item, json: object) => ({
  path: queue.itemPath(item),
  body: { id: item.id, queueId: queue.id, version: item.version, json } as never,
});

/** Attacks on sensitive values, which are encrypted. */
export const sensitive: Attack[] = [
  masked('A list of items with personal data', async ({ app }, queue) => {
    return (await app.admin.listWorkItems({ path: queue.path })).body;
  }),
  masked('An item with personal data', async ({ app }, queue, item) => {
    return (await app.admin.getWorkItem({ path: queue.itemPath(item) })).body;
  }),
  masked('The answer to a change of personal data, and its event', async ({ app }, queue, item) => {
    const { body } = await app.admin.updateWorkItem(change(queue, item, { ...record, amount: 2 }));
    const { body: events } = await app.admin.listEvents({ query: { queueId: queue.id } });
    return [body, events, (await app.admin.listWorkItemEvents({ path: queue.itemPath(item) })).body];
  }),
  masked('The event of a deletion of an item with personal data', async ({ app }, queue, item) => {
    await app.admin.deleteWorkItem({ path: queue.itemPath(item) });
    return (await app.admin.listEvents({ query: { queueId: queue.id } })).body;
  }),
  masked('An export of personal data', async ({ app }, queue) => {
    const { body } = await app.admin.exportWorkItems({ path: queue.path, body: {} });
    return (body as unknown as Blob).text();
  }),
  masked('A preview of a file with personal data', async ({ app }, queue) => {
    const file = new Blob([`customer,amount\n${canary},1\n`]);
    return (await app.admin.previewFile({ path: queue.path, body: { file } })).body;
  }),
  masked('The rows of a file to correct, with personal data', async ({ app }, queue) => {
    const file = new Blob([`customer,amount\n${canary},x\n`]);
    const query = { onError: 'skip' } as const;
    const { body } = await app.admin.createWorkItemsFromFile({
      path: queue.path,
      query,
      body: { file },
    });
    const path = { ...queue.path, uploadId: Number(body.uploadId) };
    const errors = await app.admin.downloadUploadErrors({ path });
    return [body, await (errors.body as unknown as Blob).text()];
  }),
  {
    tried: 'A dump of the database, for personal data in items, outputs, events, files and kept answers',
    outcome: 'in no table is a value of a sensitive attribute',
    run: async (place) => {
      const queue = await createCustomers(place.app, place.queue.consumer, { indexedColumns: ['customer'] });
      const [first, second] = await queue.add(record, { customer: canary });
      await place.app.admin.updateWorkItem(change(queue, first as Item, { ...record, iban: 'DE01CANARY' }));
      await place.app.admin.deleteWorkItem({ path: queue.itemPath(second) });
      const claimed = await fetch(`${place.app.url}/v4/wlm/queues/${queue.id}/workitems/claim`, {
        method: 'POST',
        headers: {
          'x-authorization': place.queue.consumer.token,
          'content-type': 'application/json',
          'idempotency-key': 'dump',
        },
        body: '{}',
      });
      const { list } = (await claimed.json()) as { list: Item[] };
      expect(list[0]?.json).toMatchObject({ customer: canary });
      const [{ id, version }] = list as [Required<Pick<Item, 'id' | 'version'>>];
      const results = [{ id, version, status: 'COMPLETE' as const, output: { iban: 'DE02CANARY' } }];
      await place.queue.consumer.call.finishWorkItems({ path: queue.path, body: { results } });
      for (const value of [canary, 'DE00CANARY', 'DE01CANARY', 'DE02CANARY', '918273'])
        expect(await tablesWith(place.app, value)).toEqual([]);
    },
  },
  {
    tried: 'An encrypted value, copied to another item in the database',
    outcome: 'it does not open there: 500, and nothing of it is shown',
    run: async (place) => {
      const queue = await createCustomers(place.app, place.queue.consumer);
      const [one, other] = await queue.add(record, { customer: 'Somebody' });
      await place.app.sql(
        'update work_item_data set json = (select json from work_item_data where item_id = $1) where item_id = $2',
        [one?.id, other?.id],
      );
      const path = queue.itemPath(other);
      const { status, error } = await place.app.admin.revealWorkItem({ path, body: { reason: 'a test' } });
      expect(status).toBe(500);
      expect(JSON.stringify(error)).not.toContain(canary);
    },
  },
  {
    tried: 'An encrypted value, sent as the value of another item',
    outcome: '400',
    run: async (place) => {
      const queue = await createCustomers(place.app, place.queue.consumer);
      const [item] = await queue.add(record);
      const forged = { $sealed: '1.1.AAAA', hash: 'AAAA' };
      const { status } = await place.app.admin.updateWorkItem(
        change(queue, item as Item, { customer: forged }),
      );
      expect(status).toBe(400);
    },
  },
  {
    tried: 'An encrypted value, or one of another type, in the corrections of many items',
    outcome: 'the rows are refused, and the others are changed',
    run: async (place) => {
      const queue = await createCustomers(place.app, place.queue.consumer);
      const items = await queue.add(record, record, record, record);
      const forged = { $sealed: 'x', hash: 'y' };
      const sent = [{ score: forged }, { score: { masked: '•••', ...forged } }, { score: 'x' }, { score: 2 }];
      const rows = items.map(({ id, version }, index) => ({ id, version, json: sent[index] }));
      const { body } = await place.app.admin.updateWorkItems({
        path: queue.path,
        body: { rows } as never,
      });
      expect(body.list.map(({ outcome }) => outcome)).toEqual(['REFUSED', 'REFUSED', 'REFUSED', 'CHANGED']);
      expect((await queue.claim(4)).map(({ json }) => json?.['score'])).toEqual([
        918273.5, 918273.5, 918273.5, 2,
      ]);
    },
  },
  {
    tried: 'Personal data of an item, by who may see the item but has no right to them',
    outcome: '403 for the values, and for an export with them',
    run: async ({ app, queue: { consumer } }) => {
      const queue = await createCustomers(app, consumer);
      const [item] = await queue.add(record);
      const path = queue.itemPath(item);
      expect((await consumer.call.revealWorkItem({ path, body: { reason: 'curious' } })).status).toBe(403);
      const { status } = await consumer.call.exportWorkItems({ path: queue.path, body: { plain: true } });
      expect(status).toBe(403);
    },
  },
  {
    tried: 'Personal data, guessed by filters that compare by more than equality',
    outcome: '400, and a sort by them as well',
    run: async ({ app, queue: { consumer } }) => {
      const queue = await createCustomers(app, consumer);
      await queue.add(record);
      for (const operator of ['substring', 'startsWith', 'lt', 'ge']) {
        const filter = { operator, field: 'col1', value: 'C' };
        const { status } = await app.admin.listWorkItems({ path: queue.path, body: { filter } });
        expect(status, operator).toBe(400);
      }
      const sort = [{ field: 'col1' }];
      expect((await app.admin.listWorkItems({ path: queue.path, body: { sort } })).status).toBe(400);
    },
  },
  {
    tried: 'A guess at an encrypted value, by a trial of a bulk edit that would change nothing',
    outcome: 'counts as a change, right or wrong',
    run: async ({ app, queue: { consumer } }) => {
      const queue = await createCustomers(app, consumer);
      await queue.add(record);
      const guesser = await app.user('guesser');
      await app.admin.addOrUpdateQueueMember({ path: { ...queue.path, userId: guesser.id }, body: {} });
      const filter = { operator: 'gt', field: 'id', value: 0 };
      for (const iban of [record.iban, 'DE00OTHER']) {
        const body = { action: 'EDIT' as const, json: { iban }, filter, dryRun: true };
        const trial = await guesser.call.updateWorkItemStatus({ path: queue.path, body });
        expect(trial.body).toMatchObject({ changed: 1, unchanged: 0 });
      }
    },
  },
  {
    tried: 'Personal data that did not fit, in the words of the refusal',
    outcome: '400, without the value',
    run: async ({ app, queue: { consumer } }) => {
      const queue = await createCustomers(app, consumer);
      const workItems = [{ json: { customer: 5, score: canary } }];
      const { status, error } = await app.admin.createWorkItems({ path: queue.path, body: { workItems } });
      expect(status).toBe(400);
      expect(JSON.stringify(error)).not.toContain(canary);
    },
  },
  {
    tried: 'The mark of an attribute, taken away by who may change the model',
    outcome: '403 without the permission to see the values',
    run: async ({ app, queue: { owner } }) => {
      const attributes = [{ name: 'secret', sensitivity: 'SECRET' as const }];
      const { body } = await owner.call.createWorkItemModel({ body: { name: 'Marked', attributes } });
      const { status } = await owner.call.updateWorkItemModel({
        path: { id: Number(body.id) },
        body: { version: 0, attributes: [{ name: 'secret', sensitivity: 'NONE' }] },
      });
      expect(status).toBe(403);
      expect((await app.admin.getWorkItemModel({ path: { id: Number(body.id) } })).body.version).toBe(0);
    },
  },
  {
    tried: 'An output of a bot that pretends to be encrypted',
    outcome: '400 for that report',
    run: async ({ app, queue: { consumer } }) => {
      const queue = await createCustomers(app, consumer);
      await queue.add(record);
      const [item] = await queue.claim();
      const output = { note: { $sealed: '1.1.AAAA', hash: '' } };
      const results = [{ id: item?.id, version: item?.version, status: 'COMPLETE', output }] as never;
      const { body } = await consumer.call.finishWorkItems({ path: queue.path, body: { results } });
      expect(body.list).toMatchObject([{ error: { code: 'INVALID_REQUEST' } }]);
    },
  },
  {
    tried:
      'Personal data from before it was marked, in a list, events, an export and a search, before all of it is encrypted',
    outcome: 'masks from the moment of the mark',
    run: async ({ app, queue: { consumer } }) => {
      const queue = await createCustomers(app, consumer, {}, [{ name: 'customer', type: 'TEXT' }]);
      const [item, gone] = await queue.add({ customer: canary }, { customer: canary });
      await app.admin.deleteWorkItem({ path: queue.itemPath(gone) });
      const { path } = queue;
      const model = { path: { id: queue.modelId } };
      const { version } = (await app.admin.getWorkItemModel(model)).body;
      const attributes = [{ name: 'customer', sensitivity: 'PERSONAL' }];
      await app.admin.updateWorkItemModel({ ...model, body: { version, attributes } as never });
      const filter = { operator: 'substring', field: 'any', value: canary };
      const answers = [
        await app.admin.listWorkItems({ path }),
        await app.admin.getWorkItem({ path: queue.itemPath(item) }),
        await app.admin.listEvents({ query: { queueId: queue.id } }),
        await app.admin.findWorkItems({ body: { text: canary } }),
      ];
      expect(JSON.stringify(answers.map(({ body }) => body))).not.toContain(canary);
      expect((await app.admin.listWorkItems({ path, body: { filter } })).body.list).toEqual([]);
      const { body } = await app.admin.exportWorkItems({ path, body: {} });
      expect(await (body as unknown as Blob).text()).not.toContain(canary);
    },
  },
  {
    tried:
      'Personal data from before it was marked, in an export of the audit trail, before all of it is encrypted',
    outcome: '409 with `Retry-After` without the right to it, and nothing of it later',
    run: async ({ app, queue: { consumer } }) => {
      auditor ??= app.user('auditor of marks', ['AAE_Auditor']);
      const { call } = await auditor;
      const { path, modelId, add } = await createCustomers(app, consumer, {}, [
        { name: 'customer', type: 'TEXT' },
      ]);
      await add({ customer: canary });
      await seal(app, sealingKeyFile);
      // A transaction that may still write by the former model.
      const endWriter = await beginWriter(app);
      const { version } = (await app.admin.getWorkItemModel({ path: { id: modelId } })).body;
      const attributes = [{ name: 'customer', sensitivity: 'PERSONAL' }];
      const body = { version, attributes } as never;
      await app.admin.updateWorkItemModel({ path: { id: modelId }, body });
      const early = await call.exportAudit({ body: {} });
      expect([early.status, early.headers.get('retry-after')]).toEqual([409, '5']);
      await endWriter();
      await expect.poll(async () => (await app.admin.getQueue({ path })).body.rekeying ?? false).toBe(false);
      const later = await call.exportAudit({ body: {} });
      expect(await (later.body as unknown as Blob).text()).not.toContain(canary);
    },
  },
];
