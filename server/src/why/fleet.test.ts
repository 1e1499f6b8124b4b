import { expect, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createDevice, createLine, type DeviceFixture } from '../testing/dispatch.ts';
import { createSingleLine } from '../testing/why.ts';

const app = await startApp();
const runner = await app.user('device runner', ['AAE_Bot Runner']);
const device = (more = {}) => createDevice(runner, more);

const why = async ({ path }: DeviceFixture, call = app.admin) => (await call.explainDevice({ path })).body;
const tryOut = async ({ id }: { id?: unknown }) =>
  (await app.admin.explainAutomation({ path: { id: Number(id) } })).body;

test('explainDevice names the item that the device gets next, and the device gets it', async () => {
  const one = await device();
  const { lines } = await createLine(app, [one], { scheme: 'PRIORITY', queues: 2 }, (index) => ({
    priority: index,
  }));
  const [low, high] = lines as [(typeof lines)[0], (typeof lines)[0]];
  await low.queue.add(1);
  await high.queue.add(2);
  const { code, sentence, reasons } = await why(one);
  expect(code).toBe('NEXT');
  expect(sentence).toContain(`by the automation "${high.automation.name}"`);
  expect(reasons[0]?.facts).toMatchObject({ queueId: high.queue.id });
  const [item] = await one.ask({ count: 1 });
  expect(item?.queueId).toBe(high.queue.id);
  expect(await why(one)).toMatchObject({ code: 'SLOTS_BUSY', sentence: 'Its only slot is busy.' });
});

test('explainDevice says first what keeps the device from all work, and then what would', async () => {
  const held = await device();
  const { automation } = await createSingleLine(app, [held]);
  await app.admin.quarantineDevice({ path: held.path, body: { reason: 'posts twice' } });
  const { code, sentence, reasons } = await why(held);
  expect([code, sentence]).toEqual([
    'QUARANTINED',
    'It is quarantined and takes no work: posts twice. Resume it to go on.',
  ]);
  expect(reasons[1]).toMatchObject({
    code: 'NOTHING_WAITS',
    sentence: `The automation "${automation.name}": no item of its queue could start now.`,
  });
  expect(await why(await device())).toMatchObject({ code: 'NO_POOL' });
  const idle = await device();
  await createLine(app, [idle], { queues: 0 });
  expect(await why(idle)).toMatchObject({ code: 'NO_AUTOMATION' });
});

test('explainDevice says which bot and which labels a device lacks', async () => {
  const [botless, bare] = [await device({ bots: ['other'] }), await device()];
  await createSingleLine(app, [botless, bare], {}, () => ({ labels: ['sap'] }));
  expect(await why(botless)).toMatchObject({ code: 'WITHOUT_BOT' });
  const { code, sentence } = await why(bare);
  expect(code).toBe('WITHOUT_LABELS');
  expect(sentence).toContain('the device has not the label "sap".');
});

test('explainDevice names no automation that the caller may not see', async () => {
  const one = await device();
  const { queue, automation } = await createSingleLine(app, [one]);
  await queue.add(1);
  const user = await app.user('device user', ['AAE_Bot Runner']);
  const own = await createDevice(user);
  const shown = await createSingleLine(app, [own]);
  await shown.queue.add(1);
  const { sentence } = (await runner.call.explainDevice({ path: one.path })).body;
  // Runners consume the queues of these tests: a user without that role sees the device by its registration only.
  expect(sentence).toContain(automation.name);
  await app.admin.createRole({ body: { name: 'Device only', permissions: ['useQueues', 'runDevice'] } });
  const blind = await app.user('blind', ['Device only']);
  const unseen = await createDevice(blind);
  const line = await createSingleLine(app, [unseen]);
  await line.queue.add(1);
  const told = (await blind.call.explainDevice({ path: unseen.path })).body;
  expect(told).toMatchObject({ code: 'NEXT', sentence: 'It gets the next item.' });
  expect(JSON.stringify(told)).not.toContain(line.automation.name);
});

test('explainDevice names the queue of the next item to who sees the queue alone', async () => {
  const one = await device();
  const { queue, automation } = await createSingleLine(app, [one]);
  await queue.add(1);
  const { name } = (await app.admin.getQueue({ path: queue.path })).body;
  expect((await why(one)).sentence).toContain(`of the queue "${name}"`);
  const ofPools = await app.user('of pools', ['AAE_Pool Admin']);
  const told = await why(one, ofPools.call);
  expect(told.sentence).toBe(`It gets the next item, by the automation "${automation.name}".`);
  expect(JSON.stringify(told)).not.toContain(JSON.stringify(name));
});

test('explainAutomation says of each device whether it would take the next item, and why not', async () => {
  const free = await device();
  const [botless, quarantined] = [await device({ bots: ['other'] }), await device()];
  const { queue, automation } = await createSingleLine(app, [botless, quarantined, free]);
  await app.admin.quarantineDevice({ path: quarantined.path, body: { reason: 'posts twice' } });
  const empty = await tryOut(automation);
  expect(empty).toMatchObject({ code: 'NOTHING_WAITS', sentence: 'No item of its queue could start now.' });
  await queue.add(1);
  const { code, sentence, devices } = await tryOut(automation);
  expect([code, sentence]).toEqual(['NEXT', `The device "${free.device.hostName}" takes the next item.`]);
  const verdicts = [
    [free, 'NEXT'],
    [botless, 'WITHOUT_BOT'],
    [quarantined, 'QUARANTINED'],
  ] as const;
  expect(devices.map((one) => [one.deviceId, one.code])).toEqual(
    verdicts.map(
      ([
        {
          device: { id },
        },
        verdict,
      ]) => [id, verdict],
    ),
  );
  expect(empty.devices).toEqual(devices);
});

test('explainAutomation says whose turn it is where other automations share the pool', async () => {
  const one = await device();
  const { lines } = await createLine(app, [one], { scheme: 'PRIORITY', queues: 2 }, (index) => ({
    priority: index,
  }));
  const [low, high] = lines as [(typeof lines)[0], (typeof lines)[0]];
  await low.queue.add(1);
  await high.queue.add(1);
  const { code, devices } = await tryOut(low.automation);
  expect(code).toBe('NO_DEVICE');
  expect(devices[0]).toMatchObject({
    code: 'OTHER_FIRST',
    sentence: `Its next item is one of the automation "${high.automation.name}", by the scheme of the pool.`,
  });
});

test('explainAutomation tells of an automation that is paused, and of a pool without devices', async () => {
  const { automation } = await createSingleLine(app, [await device()], {}, () => ({
    status: 'PAUSED',
    statusReason: 'month-end closing',
  }));
  expect(await tryOut(automation)).toMatchObject({
    code: 'AUTOMATION_PAUSED',
    sentence: 'It is paused: month-end closing. Activate it to go on.',
  });
  const alone = await createSingleLine(app, []);
  expect(await tryOut(alone.automation)).toMatchObject({ code: 'NO_DEVICE', devices: [] });
  const paused = await createSingleLine(app, [await device()]);
  await paused.queue.owner.call.pauseQueue({ path: paused.queue.path, body: { reason: 'holidays' } });
  expect(await tryOut(paused.automation)).toMatchObject({ code: 'QUEUE_PAUSED' });
});
