import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createDevice, createLine } from '../../server/src/testing/dispatch.ts';
import { addItems, createInvoices, failItems, leaveInDoubt } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, setStage, type Stage } from './stage.ts';

const title = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true });
const dialog = (page: Page) => page.getByRole('dialog');
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
const pause = (page: Page) => page.getByRole('button', { name: 'Pause', exact: true });
const link = (page: Page, name: string | RegExp) => page.getByRole('link', { name });
const region = (page: Page, name: string) => page.getByRole('region', { name });
const tray = (page: Page) => region(page, 'Changes of many items');

async function press(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/** Presses a key until what has the focus, or the row that it is in, says something. */
async function pressUntil(page: Page, key: string, says: RegExp): Promise<void> {
  for (let pressed = 0; pressed < 80; pressed += 1) {
    await page.keyboard.press(key);
    const text = await page.evaluate<string>(
      `(document.activeElement.closest('[data-row]') ?? document.activeElement).textContent`,
    );
    if (says.test(text)) return;
  }
  throw new Error(`${key} leads to nothing that says ${says}.`);
}

/** A row is gone to by keys once it is there. */
async function toRow(page: Page, says: RegExp): Promise<void> {
  await page.locator('[data-row]', { hasText: says }).first().waitFor();
  await pressUntil(page, 'j', says);
}

/** Opens a page: nothing of it has the focus. */
async function open(stage: Stage, token: string, address = ''): Promise<Page> {
  const page = await stage.open(`/console/${address}`, { token });
  await page.getByRole('heading', { level: 1 }).waitFor();
  return page;
}

describe.skipIf(browserFile === undefined)('In a browser, by the mouse alone and by keys alone, one', () => {
  let stage: Stage;
  let token = '';
  beforeAll(async () => {
    stage = await setStage();
    token = await tokenOfAdmin(stage);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage.stop());
  const begin = (address?: string) => open(stage, token, address);

  /** A queue with an item that waits, and that stands still. */
  async function paused(name: string): Promise<number> {
    const id = await createInvoices(stage.app, name);
    await addItems(stage.app, id, [{ number: `${name}-1` }]);
    await stage.app.admin.pauseQueue({ path: { id }, body: { reason: 'The ERP is down' } });
    return id;
  }

  /** Items that have all failed for one cause. */
  async function failed(name: string, count: number, error: string): Promise<number> {
    const id = await createInvoices(stage.app, name);
    const records = Array.from({ length: count }, (_, index) => ({
      number: `${name}-${index}`,
      vendor: 'Maier',
    }));
    await addItems(stage.app, id, records);
    await failItems(stage.app, id, count, error);
    return id;
  }

  const countsOf = async (id: number) => (await stage.app.admin.getQueueStats({ path: { id } })).body.counts;
  const statusOf = async (id: number) => (await stage.app.admin.getQueue({ path: { id } })).body.status;
  const itemsOf = async (id: number) =>
    (await stage.app.admin.listWorkItems({ path: { id }, body: { sort: [{ field: 'id' }] } })).body.list;

  describe('sees whether all is well', () => {
    const isWell = (page: Page) =>
      expect
        .poll(() => region(page, 'Needs a person').allTextContents())
        .toEqual(['Needs a personNothing needs a person.']);

    test('on the page that opens, which says what needs a person and when nothing does', async () => {
      const id = await paused('Glance');
      const page = await begin();
      await region(page, 'Needs a person')
        .getByText(/^Glance: The queue is paused/)
        .waitFor();
      await stage.app.admin.resumeQueue({ path: { id }, body: {} });
      await stage.app.admin.claimWorkItems({ path: { id }, body: { count: 1 } });
      await isWell(page);
    });

    test('from any other page by g o', async () => {
      const page = await begin('queues');
      await press(page, 'g', 'o');
      await isWell(page);
    });
  });

  describe('learns why a queue does not move, and has it go on', () => {
    test('by the mouse, in the row of the overview and on the page of reasons', async () => {
      const id = await paused('Stuck for mice');
      const page = await begin();
      const row = page.getByRole('row', { name: /^Stuck for mice/ });
      await row.getByText('The ERP is down').waitFor();
      await row.getByRole('link', { name: 'Why' }).click();
      await page.getByText(/^The queue is paused .* The ERP is down/).waitFor();
      await button(page, 'Resume').click();
      await dialog(page).getByRole('button', { name: 'Resume' }).click();
      await pause(page).waitFor();
      await expect.poll(() => statusOf(id)).toBe('ACTIVE');
      await stage.app.admin.claimWorkItems({ path: { id }, body: { count: 1 } });
    });

    test('by j to the row, w and p', async () => {
      const id = await paused('Stuck for keys');
      const page = await begin();
      await toRow(page, /^Stuck for keys/);
      await press(page, 'w');
      await page.getByText(/^The queue is paused .* The ERP is down/).waitFor();
      await press(page, 'p');
      await dialog(page).getByText('Items are granted again at once.').waitFor();
      await press(page, 'Enter');
      await pause(page).waitFor();
      await expect.poll(() => statusOf(id)).toBe('ACTIVE');
      await stage.app.admin.claimWorkItems({ path: { id }, body: { count: 1 } });
    });
  });

  describe('tries again what has failed for one cause', () => {
    test('by four keys: g r, r and Enter, and hears how many have failed again', async () => {
      const id = await failed('Retried by keys', 7, 'The ERP was away for 10 s');
      const page = await begin();
      await press(page, 'g', 'r');
      await button(page, 'Restart all 7').waitFor();
      await press(page, 'r');
      await dialog(page).getByText('7 selected · 7 will change · 0 refused').waitFor();
      await press(page, 'Enter');
      await tray(page).getByText('7 items changed, 0 refused.').waitFor();
      expect(await countsOf(id)).toMatchObject({ NEW: 7, FAILED: 0 });
      await failItems(stage.app, id, 2, 'The ERP was away for 20 s');
      await tray(page)
        .getByText(/2 failed again/)
        .waitFor();
    });

    test('by the mouse, with a reason', async () => {
      const id = await failed('Retried by mice', 5, 'The disk of the scanner is full');
      const page = await begin();
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Repair' }).click();
      await link(page, /The disk of the scanner is full/).click();
      await button(page, 'Restart all 5').click();
      await dialog(page).getByLabel('Reason, for the timeline').fill('There is room again');
      await button(page, 'Restart 5').click();
      await tray(page).getByText('5 items changed, 0 refused.').waitFor();
      expect(await countsOf(id)).toMatchObject({ NEW: 5, FAILED: 0 });
    });
  });

  describe('corrects rows and sends them back', () => {
    const sent = async (id: number) =>
      (await itemsOf(id)).map(({ status, json }) => `${status} ${String(json?.['vendor'])}`);

    test('by the mouse, in the grid of the cause', async () => {
      const id = await failed('Corrected by mice', 3, 'No vendor is called so');
      const page = await begin('repair');
      await link(page, /No vendor is called so/).click();
      const cell = page.getByRole('textbox', { name: /^vendor of item/ }).first();
      await cell.click();
      await cell.fill('Meier');
      await button(page, 'Fill down').click();
      await button(page, 'Send 3 back').click();
      await dialog(page).getByText('3 will be corrected and tried again · 0 refused').waitFor();
      await dialog(page).getByText('vendor: Maier → Meier').first().waitFor();
      await dialog(page).getByRole('button', { name: 'Send 3 back' }).click();
      await dialog(page).getByText('3 items corrected and sent back, 0 refused.').waitFor();
      expect(await sent(id)).toEqual(Array(3).fill('NEW Meier'));
    });

    test('by e into the grid, Ctrl+D down and Ctrl+Enter', async () => {
      const id = await failed('Corrected by keys', 3, 'Nobody is called that way');
      const page = await begin();
      await press(page, 'g', 'r');
      await toRow(page, /Nobody is called that way/);
      await press(page, 'Enter');
      await region(page, 'Nobody is called that way')
        .getByRole('textbox', { name: /^vendor of item/ })
        .first()
        .waitFor();
      await press(page, 'e', 'Tab');
      await page.keyboard.type('Meier');
      await press(page, 'Control+d', 'Control+Enter');
      await dialog(page).getByText('3 will be corrected and tried again · 0 refused').waitFor();
      await press(page, 'Enter');
      await dialog(page).getByText('3 items corrected and sent back, 0 refused.').waitFor();
      expect(await sent(id)).toEqual(Array(3).fill('NEW Meier'));
    });
  });

  describe('settles what is in doubt, one after another', () => {
    async function doubtful(name: string) {
      const id = await createInvoices(stage.app, name);
      await addItems(stage.app, id, [{ number: 'one' }, { number: 'two' }]);
      const [one, two] = [await leaveInDoubt(stage.app, id), await leaveInDoubt(stage.app, id)];
      const read = async (workItemId: number) =>
        (await stage.app.admin.getWorkItem({ path: { id, workItemId } })).body;
      return { one, two, read };
    }
    const question = (page: Page, id: number) => page.getByRole('heading', { name: `Was item ${id} done?` });

    test('by the mouse, from the overview', async () => {
      const { one, two, read } = await doubtful('Doubted by mice');
      const page = await begin();
      const line = region(page, 'Needs a person')
        .getByRole('listitem')
        .filter({ hasText: 'Doubted by mice' });
      await line.getByText(/^2 items in Doubted by mice are in doubt/).waitFor();
      await line.getByRole('link', { name: 'Settle' }).click();
      await question(page, one).waitFor();
      await page.getByText('60 % payment sent').waitFor();
      await button(page, /It was done/).click();
      await button(page, 'Answer, and show the next').click();
      await question(page, two).waitFor();
      await button(page, /It was not done/).click();
      await button(page, 'Answer, and show the next').click();
      await page.getByRole('heading', { name: 'Nothing is in doubt.' }).waitFor();
      expect([(await read(one)).status, (await read(two)).status]).toEqual(['COMPLETE', 'NEW']);
    });

    test('by j and Enter on the overview, then 1, 2 or 3 and Enter', async () => {
      const { one, two, read } = await doubtful('Doubted by keys');
      const page = await begin();
      await toRow(page, /in Doubted by keys are in doubt/);
      await press(page, 'Enter');
      await question(page, one).waitFor();
      await page.getByText('60 % payment sent').waitFor();
      await press(page, '3', 'Enter');
      await page.getByText('Say what is left to do.').waitFor();
      await page.keyboard.type('The letter is missing');
      await press(page, 'Enter');
      await question(page, two).waitFor();
      await page.getByText('60 % payment sent').waitFor();
      await press(page, '1', 'Enter');
      await page.getByRole('heading', { name: 'Nothing is in doubt.' }).waitFor();
      expect(await read(one)).toMatchObject({ failureKind: 'BUSINESS', comment: 'The letter is missing' });
      expect((await read(two)).status).toBe('COMPLETE');
    });
  });

  describe('finds one invoice', () => {
    const isAt = (page: Page, address: string) =>
      expect.poll(() => new URL(page.url()).pathname).toBe(address);

    async function invoice(name: string, number: string) {
      const id = await createInvoices(stage.app, name);
      await addItems(stage.app, id, [{ number: `${number}-0` }, { number }]);
      const found = (await itemsOf(id)).find(({ json }) => json?.['number'] === number);
      return `/console/queues/${id}/workitems/${found?.id}`;
    }

    test('by the mouse, by its number', async () => {
      const address = await invoice('Found by mice', '2026-0417');
      const page = await begin();
      await button(page, 'Find or do').click();
      await dialog(page).getByRole('searchbox').or(dialog(page).getByRole('textbox')).fill('2026-0417');
      await dialog(page)
        .getByRole('menuitem', { name: /^2026-0417 ?Found by mice/ })
        .click();
      await isAt(page, address);
    });

    test('by Ctrl+K and its number', async () => {
      const address = await invoice('Found by keys', '2026-0815');
      const page = await begin();
      await press(page, 'Control+k');
      await dialog(page).waitFor();
      await page.keyboard.type('2026-0815');
      await dialog(page)
        .getByRole('menuitem', { name: /^2026-0815 ?Found by keys/ })
        .waitFor();
      await pressUntilChosen(page, /^2026-0815 ?Found by keys/);
      await isAt(page, address);
    });

    test('by Ctrl+K and its address, and again as one that was opened before', async () => {
      const address = await invoice('Found by address', '2026-0911');
      const page = await begin();
      await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(stage.app.url + address)})`);
      await press(page, 'Control+k');
      await dialog(page).waitFor();
      await press(page, 'Control+v');
      await dialog(page)
        .getByRole('menuitem', { name: /^Item \d+ ?Found by address/ })
        .waitFor();
      await press(page, 'Enter');
      await isAt(page, address);
      await title(page, `Item ${address.split('/').at(-1)}`).waitFor();
      await press(page, 'g', 'o');
      await title(page, 'Overview').waitFor();
      await press(page, 'Control+k');
      const first = dialog(page).getByRole('menuitem').first();
      await expect.poll(() => first.textContent()).toMatch(/^Item \d+ · Found by address ?Opened before/);
      await press(page, 'ArrowDown', 'Enter');
      await isAt(page, address);
    });
  });

  describe('sees what happened to an item, and who did it', () => {
    async function changed(name: string) {
      const { admin } = stage.app;
      const id = await createInvoices(stage.app, name);
      await addItems(stage.app, id, [{ number: 'V-1', vendor: 'Aqua' }]);
      const [item] = await itemsOf(id);
      const workItemId = Number(item?.id);
      const path = { id, workItemId };
      for (const vendor of ['Aqua AG', 'Meier', 'Nord']) {
        const { version = 0 } = (await admin.getWorkItem({ path })).body;
        const json = { number: 'V-1', vendor };
        await admin.updateWorkItem({ path, body: { id: workItemId, queueId: id, version, json } });
      }
      return `queues/${id}/workitems/${workItemId}`;
    }
    const difference = (page: Page, before: string, after: string) =>
      region(page, 'Versions of its data').getByRole('row', { name: `vendor "${before}" "${after}"` });

    test('by the mouse, version by version, each with what differs and from whom it is', async () => {
      const page = await begin(await changed('Told to mice'));
      await difference(page, 'Meier', 'Nord').waitFor();
      await button(page, 'Earlier version').click();
      await difference(page, 'Aqua AG', 'Meier').waitFor();
      await region(page, 'Versions of its data').getByText('admin').waitFor();
      await page.getByLabel('Compared with').selectOption({ index: 2 });
      await expect.poll(() => difference(page, 'Nord', 'Meier').count()).toBe(1);
    });

    test('by ← and →', async () => {
      const page = await begin(await changed('Told to keys'));
      await difference(page, 'Meier', 'Nord').waitFor();
      await press(page, 'ArrowLeft');
      await difference(page, 'Aqua AG', 'Meier').waitFor();
      await press(page, 'ArrowRight');
      await expect.poll(() => difference(page, 'Meier', 'Nord').count()).toBe(1);
    });
  });

  describe('pauses a queue while a system is down', () => {
    const until = /^Paused by admin: The ERP is away · goes on in \d+ d/;

    async function isSaid(page: Page, name: string): Promise<void> {
      await page.getByText(until).waitFor();
      await press(page, 'g', 'o');
      const row = page.getByRole('row', { name: new RegExp(`^${name}`) });
      await expect
        .poll(() => row.textContent())
        .toMatch(/Paused by admin: The ERP is away · goes on in \d+ d/);
    }

    test('by the mouse, until a time, which queue and overview count down to', async () => {
      const id = await createInvoices(stage.app, 'Paused by mice');
      const page = await begin(`queues/${id}`);
      await pause(page).click();
      await dialog(page).getByLabel('Reason, for the others').fill('The ERP is away');
      await dialog(page)
        .getByLabel(/^Until/)
        .fill('2099-03-03T06:00');
      await dialog(page).getByRole('button', { name: 'Pause' }).click();
      await isSaid(page, 'Paused by mice');
    });

    test('by p, the reason, the time and Enter', async () => {
      const id = await createInvoices(stage.app, 'Paused by keys');
      const page = await begin(`queues/${id}`);
      await pause(page).waitFor();
      await press(page, 'p');
      await dialog(page).getByLabel('Reason, for the others').waitFor();
      await page.keyboard.type('The ERP is away');
      await press(page, 'Tab');
      await page.keyboard.type('03032099');
      await press(page, 'ArrowRight');
      await page.keyboard.type('0600AM');
      await press(page, 'Enter');
      await isSaid(page, 'Paused by keys');
    });
  });

  describe('puts a spreadsheet in, and takes it back', () => {
    const file = {
      name: 'two.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('number,vendor\nS-1,Adam\nS-2,Braun\n'),
    };

    test('by the mouse, in five steps', async () => {
      const id = await createInvoices(stage.app, 'Filled by mice');
      const page = await begin(`queues/${id}`);
      await link(page, 'Upload').click();
      const choosing = page.waitForEvent('filechooser');
      await button(page, 'Choose a file').click();
      await (await choosing).setFiles(file);
      await page.getByText('Read as CSV').waitFor();
      await button(page, 'Next: Map').click();
      await button(page, 'Next: Check').click();
      await page.getByText('2 items would be created').waitFor();
      await button(page, 'Put 2 items in').click();
      await page.getByText('2 items created').waitFor();
      await button(page, 'Undo').click();
      await dialog(page).getByText('2 items would be withdrawn.').waitFor();
      await button(page, 'Withdraw 2 items').click();
      await page.getByText('The items that nobody had worked on were withdrawn.').waitFor();
      expect((await countsOf(id)).NEW).toBe(0);
    });

    test('by Ctrl+K, Tab and Enter', async () => {
      const id = await createInvoices(stage.app, 'Filled by keys');
      const page = await begin(`queues/${id}`);
      await pause(page).waitFor();
      await press(page, 'Control+k');
      await dialog(page).waitFor();
      await page.keyboard.type('spreadsheet');
      await pressUntilChosen(page, /^Put a spreadsheet into this queue/);
      await button(page, 'Choose a file').waitFor();
      const choosing = page.waitForEvent('filechooser');
      await pressUntil(page, 'Tab', /^Choose a file$/);
      await press(page, 'Enter');
      await (await choosing).setFiles(file);
      await page.getByText('Read as CSV').waitFor();
      await pressUntil(page, 'Tab', /^Next: Map$/);
      await press(page, 'Enter');
      await button(page, 'Next: Check').waitFor();
      await pressUntil(page, 'Tab', /^Next: Check$/);
      await press(page, 'Enter');
      await button(page, 'Put 2 items in').waitFor();
      await pressUntil(page, 'Tab', /^Put 2 items in$/);
      await press(page, 'Enter');
      await page.getByText('2 items created').waitFor();
      await pressUntil(page, 'Tab', /^Undo$/);
      await press(page, 'Enter');
      await dialog(page).getByText('2 items would be withdrawn.').waitFor();
      await pressUntil(page, 'Tab', /^Withdraw 2 items/);
      await press(page, 'Enter');
      await page.getByText('The items that nobody had worked on were withdrawn.').waitFor();
      expect((await countsOf(id)).NEW).toBe(0);
    });
  });

  describe('takes a device out of use that misbehaves', () => {
    /** A device that runs two items, one of them beyond what can be undone. */
    async function misbehaving(nickname: string) {
      const runner = await stage.app.user(`runner of ${nickname}`, ['AAE_Bot Runner']);
      const device = await createDevice(runner, { nickname, slots: 4 });
      const { lines } = await createLine(stage.app, [device]);
      const [{ queue }] = lines as [(typeof lines)[0]];
      await queue.add(1, 2);
      const [, passed] = await device.ask({ count: 2, leaseSeconds: 3600 });
      const lease = {
        id: Number(passed?.id),
        version: Number(passed?.version),
        pointOfNoReturn: true as const,
      };
      await runner.call.heartbeatWorkItems({ path: queue.path, body: { leases: [lease] } });
      return device.path;
    }
    const stateOf = async (path: { id: number }) => (await stage.app.admin.getDevice({ path })).body;

    test('by the mouse, from its card, which says beforehand what becomes of its items', async () => {
      const path = await misbehaving('Caught by mice');
      const page = await begin();
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Devices' }).click();
      const card = page.getByRole('article', { name: 'Caught by mice' });
      await card.getByRole('button', { name: 'Quarantine' }).click();
      await dialog(page).getByText('1 item goes back, 1 will be in doubt.').waitFor();
      await dialog(page).getByLabel('Reason').fill('It books twice');
      await dialog(page).getByRole('button', { name: 'Quarantine' }).click();
      await card.getByText('Quarantined: It books twice').waitFor();
      expect(await stateOf(path)).toMatchObject({ state: 'QUARANTINED', stateReason: 'It books twice' });
    });

    test('by j to its card, q, the reason and Enter; on its page by q as well', async () => {
      const path = await misbehaving('Caught by keys');
      const page = await begin();
      await press(page, 'g', 'd');
      await title(page, 'Devices').waitFor();
      await toRow(page, /^Caught by keys/);
      await press(page, 'q');
      await dialog(page).getByText('1 item goes back, 1 will be in doubt.').waitFor();
      await page.keyboard.type('It books twice');
      await press(page, 'Enter');
      await page
        .getByRole('article', { name: 'Caught by keys' })
        .getByText('Quarantined: It books twice')
        .waitFor();
      expect(await stateOf(path)).toMatchObject({ state: 'QUARANTINED', stateReason: 'It books twice' });
      await stage.app.admin.resumeDevice({ path, body: {} });
      const own = await begin(`devices/${path.id}`);
      await button(own, 'Quarantine').waitFor();
      await press(own, 'q');
      await dialog(own).getByText('nothing runs on it').waitFor();
    });
  });
});

/** Goes down to a choice of the palette, and takes it. */
async function pressUntilChosen(page: Page, name: RegExp): Promise<void> {
  for (let pressed = 0; pressed < 40; pressed += 1) {
    const chosen = page.locator('[role=menuitem][data-focused]');
    if ((await chosen.count()) > 0 && name.test((await chosen.first().textContent()) ?? '')) {
      await page.keyboard.press('Enter');
      return;
    }
    await page.keyboard.press('ArrowDown');
  }
  throw new Error(`No choice is called ${name}.`);
}
