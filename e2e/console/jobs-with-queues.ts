import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { createDevice, createLine } from '../../server/src/testing/dispatch.ts';
import { addItems, createInvoices } from './fixtures.ts';
import { press, pressUntil, pressUntilChosen, toRow } from './keys.ts';
import { button, countsOf, dialog, pause, region, title, type Scene } from './scene.ts';

/** The jobs of a person who looks after queues. */
export function testJobsWithQueues(scene: () => Scene): void {
  /** A queue that stands still, with an item that waits. */
  async function paused(name: string): Promise<number> {
    const id = await createInvoices(scene().app, name);
    await addItems(scene().app, id, [{ number: `${name}-1` }]);
    await scene().app.admin.pauseQueue({ path: { id }, body: { reason: 'The ERP is down' } });
    return id;
  }

  const statusOf = async (id: number) => (await scene().app.admin.getQueue({ path: { id } })).body.status;

  describe('sees whether all is well', () => {
    async function isWell(page: Page): Promise<void> {
      await expect
        .poll(() => region(page, 'Needs a person').allTextContents())
        .toEqual(['Needs a personNothing needs a person.']);
    }

    test('on the page that opens, which says what needs a person and when nothing does', async () => {
      const id = await paused('Glance');
      const page = await scene().begin();
      await region(page, 'Needs a person')
        .getByText(/^Glance: The queue is paused/)
        .waitFor();
      await scene().app.admin.resumeQueue({ path: { id }, body: {} });
      await scene().app.admin.claimWorkItems({ path: { id }, body: { count: 1 } });
      await isWell(page);
    });

    test('from any other page by g o', async () => {
      const page = await scene().begin('queues');
      await press(page, 'g', 'o');
      await isWell(page);
    });
  });

  describe('learns why a queue does not move, and has it go on', () => {
    test('by the mouse, in the row of the overview and on the page of reasons', async () => {
      const id = await paused('Stuck for mice');
      const page = await scene().begin();
      const row = page.getByRole('row', { name: /^Stuck for mice/ });
      await row.getByText('The ERP is down').waitFor();
      await row.getByRole('link', { name: 'Why' }).click();
      await page.getByText(/^The queue is paused .* The ERP is down/).waitFor();
      await page.getByRole('button', { name: /^Resume Stuck for/ }).click();
      await dialog(page).getByRole('button', { name: 'Resume' }).click();
      await pause(page).waitFor();
      await expect.poll(() => statusOf(id)).toBe('ACTIVE');
      await scene().app.admin.claimWorkItems({ path: { id }, body: { count: 1 } });
    });

    test('by j to the row, w and p', async () => {
      const id = await paused('Stuck for keys');
      const page = await scene().begin();
      await toRow(page, /^Stuck for keys/);
      await press(page, 'w');
      await page.getByText(/^The queue is paused .* The ERP is down/).waitFor();
      await press(page, 'p');
      await dialog(page).getByText('Items are granted again at once.').waitFor();
      await press(page, 'Enter');
      await pause(page).waitFor();
      await expect.poll(() => statusOf(id)).toBe('ACTIVE');
      await scene().app.admin.claimWorkItems({ path: { id }, body: { count: 1 } });
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
      const id = await createInvoices(scene().app, 'Paused by mice');
      const page = await scene().begin(`queues/${id}`);
      await pause(page).click();
      await dialog(page).getByLabel('Reason, for the others').fill('The ERP is away');
      await dialog(page)
        .getByLabel(/^Until/)
        .fill('2099-03-03T06:00');
      await dialog(page).getByRole('button', { name: 'Pause' }).click();
      await isSaid(page, 'Paused by mice');
    });

    test('by p, the reason, the time and Enter', async () => {
      const id = await createInvoices(scene().app, 'Paused by keys');
      const page = await scene().begin(`queues/${id}`);
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
      const id = await createInvoices(scene().app, 'Filled by mice');
      const page = await scene().begin(`queues/${id}`);
      await page.getByRole('link', { name: 'Upload', exact: true }).click();
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
      expect((await countsOf(scene().app, id)).NEW).toBe(0);
    });

    test('by Ctrl+K, Tab and Enter', async () => {
      const id = await createInvoices(scene().app, 'Filled by keys');
      const page = await scene().begin(`queues/${id}`);
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
      expect((await countsOf(scene().app, id)).NEW).toBe(0);
    });
  });
}

/** The job of a person who looks after devices. */
export function testJobsWithDevices(scene: () => Scene): void {
  describe('takes a device out of use that misbehaves', () => {
    /** A device that runs two items, one of them past the point of no return. */
    async function misbehaving(nickname: string) {
      const runner = await scene().app.user(`runner of ${nickname}`, ['AAE_Bot Runner']);
      const device = await createDevice(runner, { nickname, slots: 4 });
      const { lines } = await createLine(scene().app, [device]);
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
    const stateOf = async (path: { id: number }) => (await scene().app.admin.getDevice({ path })).body;

    test('by the mouse, from its card, which says beforehand what becomes of its items', async () => {
      const path = await misbehaving('Caught by mice');
      const page = await scene().begin();
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
      const page = await scene().begin();
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
      await scene().app.admin.resumeDevice({ path, body: {} });
      const own = await scene().begin(`devices/${path.id}`);
      await button(own, 'Quarantine').waitFor();
      await press(own, 'q');
      await dialog(own).getByText('nothing runs on it').waitFor();
    });
  });
}
