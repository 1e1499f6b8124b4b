import { beforeAll, describe, expect, test } from 'vitest';
import { createDevice, createLine } from '../../server/src/testing/dispatch.ts';
import { addItems, createInvoices, failItems, leaveInDoubt } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, setStage } from './stage.ts';

const pages = [
  '',
  'queues',
  'queues/new',
  'queues/:queue',
  'queues/:queue/charts',
  'queues/:queue/why',
  'queues/:queue/level',
  'queues/:queue/activity',
  'queues/:queue/upload',
  'queues/:queue/members',
  'queues/:queue/automations',
  'queues/:queue/settings',
  'queues/:queue/workitems/:item',
  'repair',
  'repair/doubts',
  'workitemmodels',
  'workitemmodels/:model',
  'devices',
  'devices/:device',
  'pools',
  'pools/:pool',
  'automations',
  'automations/:automation',
  'calendars',
  'events',
  'users',
  'users/1',
  'roles',
  'roles/1',
  'apikeys',
  'tenants',
  'audit',
  'settings',
];

/** What a missing value becomes where somebody forgot it. */
const forgotten = /\bundefined\b|\bNaN\b|\[object Object\]|Invalid Date/;

describe.skipIf(browserFile === undefined)('In a browser as narrow as 400 % zoom makes it,', () => {
  const stage = setStage();
  let token = '';
  const ids: Record<string, unknown> = {};
  beforeAll(async () => {
    const { app } = stage;
    token = await tokenOfAdmin(stage);
    const queue = await createInvoices(app, 'Narrow invoices of a long name');
    await addItems(app, queue, [{ number: 'N-1', vendor: 'Aqua AG' }, { number: 'N-2' }, { number: 'N-3' }]);
    const item = await leaveInDoubt(app, queue);
    await failItems(app, queue, 1, 'The vendor is not known');
    const runner = await app.user('narrow runner', ['AAE_Bot Runner']);
    const device = await createDevice(runner, { nickname: 'Runner 1' });
    const { lines } = await createLine(app, [device], { name: 'Office' });
    const pools = (await app.admin.listPools({ body: {} })).body.list;
    const model = (await app.admin.getQueue({ path: { id: queue } })).body.workItemModelId;
    const automation = lines[0]?.automation.id;
    Object.assign(ids, { queue, item, model, device: device.path.id, pool: pools[0]?.id, automation });
  });

  test.each(pages)(
    '/console/%s is read without moving it sideways, and forgets no value',
    async (address) => {
      const path = address.replaceAll(/:(\w+)/g, (_, name: string) => String(ids[name]));
      const page = await stage.open(`/console/${path}`, { token, viewport: { width: 320, height: 640 } });
      await page.getByRole('heading', { level: 1 }).waitFor();
      const [wide, shown] = await page.evaluate<[number, number]>(
        '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
      );
      expect([wide, shown]).toEqual([320, 320]);
      expect(await page.locator('body').innerText()).not.toMatch(forgotten);
    },
  );
});
