import type { Schemas } from '@millrace/api';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { complete, createDevice, createLine, type DeviceFixture } from '../../server/src/testing/dispatch.ts';
import { createQueue } from '../../server/src/testing/fixtures.ts';
import { createInvoices, hostileNames } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

describe.skipIf(browserFile === undefined)('The fleet in a browser', () => {
  const stage = setStage();
  let token = '';
  let busy: DeviceFixture;
  let automation = '';
  let first: Schemas['Automation'];
  let beat: () => Promise<unknown>;
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
    const { app } = stage;
    const runner = await app.user('device runner', ['AAE_Bot Runner']);
    busy = await createDevice(runner, { nickname: 'Runner 1', slots: 4 });
    const bare = await createDevice(runner, { nickname: 'Runner 2', bots: ['other'] });
    const { lines } = await createLine(
      app,
      [busy, bare],
      { name: 'Office', scheme: 'FAIR', queues: 2 },
      (index) => ({
        weight: 3 - 2 * index,
      }),
    );
    const [line] = lines as [(typeof lines)[0]];
    const { queue } = line;
    first = line.automation;
    automation = first.name ?? '';
    beat = () => Promise.all([busy, bare].map(({ path }) => runner.call.heartbeatDevice({ path, body: {} })));
    await queue.add(1, 2);
    const [, passed] = await busy.ask({ count: 2, leaseSeconds: 3600 });
    const lease = {
      id: Number(passed?.id),
      version: Number(passed?.version),
      pointOfNoReturn: true as const,
    };
    await runner.call.heartbeatWorkItems({ path: queue.path, body: { leases: [lease] } });
  });
  // A device that is silent for long is lost, as it should be.
  beforeEach(() => beat());

  test('shows what runs in the slots of each device, and leads to it', async () => {
    const page = await stage.open('/console/devices', { token });
    const card = page.getByRole('article', { name: 'Runner 1' });
    await card.getByText('2 of 4 slots busy').waitFor();
    expect(await card.getByRole('link', { name: /^Item \d+ of .*, by bot$/ }).count()).toBe(2);
    await expectAccessible(page);
    await page.getByLabel('Find a device').fill('Runner 2');
    await card.waitFor({ state: 'detached' });
    await page.getByRole('article', { name: 'Runner 2' }).waitFor();
  });

  test('says of each device whether it would take the next item of an automation', async () => {
    const page = await stage.open('/console/automations', { token });
    await page
      .getByRole('row', { name: new RegExp(automation) })
      .getByText('1 of 2')
      .waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: `Try ${automation}` }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('No item of its queue could start now.').waitFor();
    await dialog
      .getByRole('row', { name: /Runner 1/ })
      .getByText('It would take the next item.')
      .waitFor();
    await dialog
      .getByRole('row', { name: /Runner 2/ })
      .getByText('has no bot "bot"')
      .waitFor();
    await expectAccessible(page);
  });

  test('draws the way from a queue to its devices, and marks where it stops', async () => {
    const path = { id: Number(first.queueId) };
    const page = await stage.open('/console/automations', { token });
    await page.getByRole('link', { name: automation, exact: true }).click();
    await page.getByRole('heading', { level: 1, name: automation }).waitFor();
    const way = page.getByRole('list', { name: 'From the queue to the devices' });
    await way
      .getByRole('listitem')
      .filter({ hasText: 'Runner 1' })
      .getByText('It would take the next item.')
      .waitFor();
    await way.getByText('No item of its queue could start now.').waitFor();
    expect(await way.getByText('Stops here:').count()).toBe(0);
    await expectAccessible(page);
    await stage.app.admin.pauseQueue({ path, body: { reason: 'The ERP is down' } });
    await way.getByRole('link').first().click();
    await page
      .getByRole('navigation', { name: 'Parts of the queue' })
      .getByRole('link', { name: 'Why' })
      .click();
    const start = way.locator(':scope > li').nth(0);
    await start.getByText('Stops here:').waitFor();
    await start.getByText(/The queue is paused since .*: The ERP is down/).waitFor();
    await way.locator(':scope > li').nth(2).getByText('2 devices').waitFor();
    await expectAccessible(page);
    await stage.app.admin.resumeQueue({ path });
    await way.getByText('Stops here:').waitFor({ state: 'detached' });
    await page.setViewportSize({ width: 390, height: 844 });
    await way.getByRole('link', { name: 'Runner 2' }).click();
    await page.getByRole('heading', { level: 1, name: 'Runner 2' }).waitFor();
  });

  test('draws that no automation takes the items of a queue', async () => {
    const { id } = await createQueue(stage.app);
    const page = await stage.open(`/console/queues/${id}/why`, { token });
    const way = page.getByRole('list', { name: 'From the queue to the devices' });
    await way.getByText('Stops here:').waitFor();
    expect(await way.getByRole('listitem').count()).toBe(2);
    await expectAccessible(page);
  });

  test('shows which share each automation of a pool should have', async () => {
    const page = await stage.open('/console/pools', { token });
    const pool = page.getByRole('region', { name: 'Office' });
    await pool.getByText('75 %').waitFor();
    await pool.getByText('25 %').waitFor();
    await expectAccessible(page);
  });

  test('tells whoever may not take a device out of use who may', async () => {
    const { token: own } = await stage.app.user('looker', ['AAE_Auditor']);
    const page = await stage.open('/console/devices', { token: own });
    const card = page.getByRole('article', { name: 'Runner 1' });
    await card.getByText('For owners of its pools, and for pool admins. Owners: admin.').waitFor();
    expect(await card.getByRole('button', { name: 'Quarantine' }).isDisabled()).toBe(true);
    await expectAccessible(page);
  });

  test('says before a quarantine what goes back and what will be in doubt, and does that', async () => {
    const page = await stage.open('/console/devices', { token });
    await page.getByRole('article', { name: 'Runner 1' }).getByRole('link', { name: 'Runner 1' }).click();
    await page.getByRole('heading', { level: 1, name: 'Runner 1' }).waitFor();
    await page.getByRole('button', { name: 'Quarantine' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('1 item goes back, 1 will be in doubt.').waitFor();
    await expectAccessible(page);
    await page.keyboard.type('It books twice');
    await dialog.getByText('As command, as curl').click();
    const command = `millrace device quarantine ${busy.path.id} --body '{"reason":"It books twice"}'`;
    await dialog.getByRole('region', { name: 'Command' }).getByText(command).waitFor();
    await dialog.getByRole('button', { name: 'Copy Command' }).click();
    await dialog.getByText('Copied.').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(command);
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Quarantine' }).click();
    await page.getByText('It is quarantined and takes no work: It books twice.').waitFor();
    await page.getByText('Nothing runs on it.').waitFor();
    expect((await stage.app.admin.listDoubts()).body.total).toBe(1);
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await dialog.getByText('It gets items again.').waitFor();
    await dialog.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Drain' }).waitFor();
  });

  test('leads from a queue whose automation somebody paused to that automation', async () => {
    const { app } = stage;
    const queue = { id: Number(first.queueId) };
    const automationPath = { id: Number(first.id) };
    const { version } = (await app.admin.getAutomation({ path: automationPath })).body;
    const body = { version, status: 'PAUSED' as const, statusReason: 'The ERP is down' };
    await app.admin.updateAutomation({ path: automationPath, body });
    const page = await stage.open(`/console/queues/${queue.id}/why`, { token });
    await page.getByRole('link', { name: 'Open automation' }).click();
    await page.getByRole('heading', { level: 1, name: automation }).waitFor();
    await page.getByText('Paused: The ERP is down', { exact: true }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/console/automations/${first.id}`);
    await app.admin.updateAutomation({
      path: automationPath,
      body: { version: body.version + 1, status: 'ACTIVE' },
    });
  });

  test('tells what happened to a device behind more events than one answer looks through', async () => {
    const { app } = stage;
    await app.sql(
      `insert into events (tenant_id, queue_id, item_id, operation, actor_id, reason, at)
       select tenant_id, id, n, 'expireItems', 0, '', now() from queues, generate_series(1, 10500) n where id = $1`,
      [Number(first.queueId)],
    );
    const page = await stage.open(`/console/devices/${busy.path.id}`, { token });
    await page.getByText('registered this device').waitFor();
    // An event of an item on the device names that item.
    await page
      .getByText(/was sent item \d+ of/)
      .first()
      .waitFor();
    await page
      .getByRole('link', { name: /^item \d+ of / })
      .first()
      .waitFor();
  });

  test('acts on many devices for one reason, and says beforehand what becomes of their work', async () => {
    const runner = await stage.app.user('runner of many', ['AAE_Bot Runner']);
    const names = ['Many 1', 'Many 2', 'Many 3'];
    const devices: DeviceFixture[] = [];
    for (const nickname of names) devices.push(await createDevice(runner, { nickname, labels: ['Halle 7'] }));
    await createLine(stage.app, devices, { name: 'Halle' }, () => ({ name: 'Halle' }));
    const page = await stage.open('/console/pools', { token });
    await page
      .getByRole('region', { name: 'Halle', exact: true })
      .getByRole('link', { name: '3 devices' })
      .click();
    await page.getByRole('article', { name: 'Many 1' }).getByText('Halle 7').waitFor();
    expect(await page.getByRole('article').count()).toBe(3);
    for (const name of names) await page.getByRole('checkbox', { name: `Choose ${name}` }).check();
    const chosen = page.getByRole('group', { name: '3 devices chosen' });
    expect(await chosen.getByRole('button', { name: 'Resume 0' }).isDisabled()).toBe(true);
    await chosen.getByRole('button', { name: 'Drain 3' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('They get no further item. Nothing runs on them.').waitFor();
    await dialog.getByLabel('Reason, for everybody who meets it').fill('The hall is repainted');
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Drain 3' }).click();
    await dialog.waitFor({ state: 'detached' });
    await expect
      .poll(() => page.getByText('Drained: nothing runs any more: The hall is repainted').count())
      .toBe(3);
    await page.getByRole('checkbox', { name: 'Choose Many 3' }).uncheck();
    await page
      .getByRole('group', { name: '2 devices chosen' })
      .getByRole('button', { name: 'Resume 2' })
      .click();
    await dialog.getByRole('button', { name: 'Resume 2' }).click();
    await dialog.waitFor({ state: 'detached' });
    const { body } = await stage.app.admin.listDevices({ body: { page: { length: 1000 } } });
    const states = body.list.flatMap(({ nickname, state }) => (names.includes(nickname) ? [state] : []));
    expect(states.toSorted()).toEqual(['ACTIVE', 'ACTIVE', 'DRAINING']);
  });

  test('shows the names of devices, pools, automations, labels and bots as text, whatever they hold', async () => {
    const runner = await stage.app.user('hostile runner', ['AAE_Bot Runner']);
    const devices = await Promise.all(
      hostileNames.map((nickname) => createDevice(runner, { nickname, bots: hostileNames })),
    );
    for (const name of hostileNames)
      await createLine(stage.app, devices, { name }, () => ({ name, botName: name }));
    const [image = ''] = hostileNames;
    for (const [address, heading] of [
      ['devices', 'Devices'],
      [`devices/${devices[0]?.path.id}`, image],
      ['pools', 'Pools'],
      ['automations', 'Automations'],
      ['', 'Overview'],
    ] as const) {
      const page = await stage.open(`/console/${address}`, { token });
      await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
      await page
        .getByText(image)
        .or(page.getByRole('link', { name: image }))
        .filter({ visible: true })
        .first()
        .waitFor();
      expect(await page.evaluate('window.canary'), address).toBeUndefined();
      await expectAccessible(page);
    }
  });

  test('says how attempts on a device ended, beside those on the others', async () => {
    const runner = await stage.app.user('two devices', ['AAE_Bot Runner']);
    const [fails, works] = [
      await createDevice(runner, { nickname: 'Fails' }),
      await createDevice(runner, { nickname: 'Works' }),
    ];
    const { lines } = await createLine(stage.app, [fails, works], { name: 'Two' });
    const [{ queue }] = lines as [(typeof lines)[0]];
    await queue.add(1, 2);
    const [bad] = await fails.ask();
    const result = { id: Number(bad?.id), version: Number(bad?.version), status: 'FAILED' as const };
    await runner.call.finishWorkItems({
      path: queue.path,
      body: { results: [{ ...result, failureKind: 'BUSINESS', error: 'No such vendor' }] },
    });
    await complete(runner, await works.ask());
    const page = await stage.open(`/console/devices/${fails.path.id}`, { token });
    await page.getByText('It failed 100 % of 1 attempt, others 0 % of 1.').waitFor();
    await expectAccessible(page);
    await page.getByRole('link', { name: 'It failed 100 % of 1 attempt' }).click();
    await page.getByRole('heading', { level: 1, name: 'Events' }).waitFor();
    for (const name of ['finishWorkItems', 'returnLapsedItems'])
      expect(new URL(page.url()).searchParams.get('q')).toContain(`operation:${name}`);
    await page.getByText('No such vendor').first().waitFor();
  });

  test('begins an account for runners on its devices and keys, and keeps no other page from it', async () => {
    const { app } = stage;
    const runner = await app.user('bare runner', ['AAE_Bot Runner']);
    await createDevice(runner, { nickname: 'Own one' });
    const id = await createInvoices(app, 'Its owner runs it');
    await app.admin.addOrUpdateQueueMember({ path: { id, userId: runner.id }, body: { role: 'OWNER' } });
    const page = await stage.open('/console/', { token: runner.token });
    await page.getByRole('heading', { level: 1, name: 'This is a runner’s account' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/console/runner');
    await page.getByRole('heading', { name: 'Its API keys' }).waitFor();
    expect(await page.getByRole('article', { name: /^Runner/ }).count()).toBe(0);
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Own one' }).click();
    await page.getByRole('heading', { level: 1, name: 'Own one' }).waitFor();
    const pages = page.getByRole('navigation', { name: 'Pages' });
    expect(await pages.getByRole('link', { name: 'Overview' }).count()).toBe(0);
    await pages.getByRole('link', { name: 'Queues' }).click();
    await page.getByRole('link', { name: 'Its owner runs it', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Its owner runs it' }).waitFor();
    await pages.getByRole('link', { name: 'Events' }).click();
    await page.getByRole('heading', { level: 1, name: 'Events' }).waitFor();
    await pages.getByRole('link', { name: 'This runner' }).click();
    await page.getByRole('heading', { level: 1, name: 'This is a runner’s account' }).waitFor();
    const { token: human } = await app.user('runs by hand', ['AAE_Bot Runner', 'AAE_Basic']);
    const other = await stage.open('/console/runner', { token: human });
    await other.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  });

  test('fits on a phone, where nothing has to be moved sideways', async () => {
    for (const address of ['devices', `devices/${busy.path.id}`, 'pools', 'automations']) {
      const page = await stage.open(`/console/${address}`, { token, viewport: { width: 390, height: 844 } });
      await page.getByRole('heading', { level: 1 }).waitFor();
      const [wide, shown] = await page.evaluate<[number, number]>(
        '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
      );
      expect(wide, address).toBe(shown);
      await expectAccessible(page);
    }
  });
});
