import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApp, type App } from '../testing/app.ts';
import { createDevice, createLine } from '../testing/dispatch.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';
import { finish, held } from '../testing/work.ts';

let app: App;

beforeAll(async () => {
  app = await startApp();
});

/** Moves the creation of the items into the past. */
async function age({ id }: QueueFixture, minutes: number): Promise<void> {
  await app.sql(
    `update work_items set created_on = created_on - make_interval(mins => $2), updated_on = updated_on - make_interval(mins => $2)
     where queue_id = $1`,
    [id, minutes],
  );
}

/** Records that items were finished before, each in this number of seconds. */
async function finishedBefore({ id }: QueueFixture, items: number, seconds: number): Promise<void> {
  await app.sql(
    `insert into queue_tallies (queue_id, minute, new, in_progress, complete, failed, deferred, in_back_off, in_doubt, finished_complete,
       finished_failed, handling_ms)
     values ($1, date_trunc('minute', now()), 0, 0, 0, 0, 0, 0, 0, $2, 0, $3)`,
    [id, items, items * seconds * 1000],
  );
}

async function finishedDaysAgo({ id }: QueueFixture, items: number, seconds: number): Promise<void> {
  await app.sql(
    `insert into queue_history (queue_id, seconds, at, arrived, new, in_progress, complete, failed, deferred, finished_complete,
       finished_failed, handling_ms) values ($1, 3600, date_trunc('hour', now() - interval '5 days'), 0, 0, 0, 0, 0, 0, $2, 0, $3)`,
    [id, items, items * seconds * 1000],
  );
}

const forecastOf = async ({ owner, path }: QueueFixture) =>
  (await owner.call.getQueueForecast({ path })).body;
const promise = async ({ owner, path }: QueueFixture, body: Schemas['NewQueueLevel']) => {
  const answer = await owner.call.setQueueLevel({ path, body });
  expect(answer.status, JSON.stringify(answer.error)).toBe(200);
  return answer.body;
};
const namesOfEvents = async ({ owner, id }: QueueFixture) =>
  (await owner.call.listEvents({ query: { queueId: id } })).body.list.map(({ operation }) => operation);
const stateOf = async ({ owner, id }: QueueFixture) => {
  const filter = { operator: 'eq', field: 'queueId', value: id } as const;
  return (await owner.call.listQueueLevels({ body: { filter } })).body.list[0];
};
/** Has the job check again at once. */
const lookAgain = ({ id }: QueueFixture) =>
  app.sql('update queue_levels set looked_on = null where queue_id = $1', [id]);

describe('setQueueLevel', () => {
  test('setQueueLevel promises in the hours of a calendar, and getQueueLevel says so', async () => {
    const queue = await createQueue(app);
    const { owner, path } = queue;
    const hours = [{ day: 'MONDAY', from: '08:00', to: '17:00' }] as const;
    const wanted = { name: 'Office', timeZone: 'Europe/Berlin', hours: [...hours] };
    const { body: calendar } = await owner.call.createCalendar({ body: wanted });
    expect((await owner.call.getQueueLevel({ path })).body).toMatchObject({ queueId: queue.id, version: 0 });
    const level = await promise(queue, {
      calendarId: Number(calendar.id),
      dueTime: '17:00',
      hourlyCost: 42.5,
      currency: 'EUR',
    });
    expect(level).toMatchObject({
      calendarName: calendar.name,
      timeZone: 'Europe/Berlin',
      cutOff: '17:00',
      warnMinutes: 15,
      hourlyCost: 42.5,
    });
    // Who saw that nothing was promised does not overwrite it.
    const late = await owner.call.setQueueLevel({ path, body: { longestWaitMinutes: 5, version: 0 } });
    expect([level.version, late.status]).toEqual([1, 409]);
    const changed = await promise(queue, { longestWaitMinutes: 240, version: level.version });
    expect(changed).not.toHaveProperty('dueTime');
    expect(changed).not.toHaveProperty('hourlyCost');
    expect(changed.version).toBe(level.version + 1);
    const stale = await owner.call.setQueueLevel({
      path,
      body: { longestWaitMinutes: 5, version: level.version },
    });
    expect(stale.status).toBe(409);
    const removed = await owner.call.removeQueueLevel({ path, query: { version: level.version } });
    expect(removed).toMatchObject({ status: 409, body: { code: 'VERSION_CONFLICT' } });
    expect((await owner.call.getQueueLevel({ path })).body).toMatchObject({ longestWaitMinutes: 240 });
    const query = { version: changed.version };
    expect((await owner.call.removeQueueLevel({ path, query })).status).toBe(204);
    expect((await owner.call.getQueueLevel({ path })).body).not.toHaveProperty('longestWaitMinutes');
  });

  test.for<[Schemas['NewQueueLevel'], string]>([
    [{}, 'longestWaitMinutes or dueTime'],
    [{ longestWaitMinutes: 60, dueTime: '17:00' }, 'two promises'],
    [{ longestWaitMinutes: 60, cutOff: '17:00' }, 'goes with dueTime only'],
    [{ longestWaitMinutes: 60, hourlyCost: 3 }, 'currency is missing'],
    [{ longestWaitMinutes: 60, currency: 'EUR' }, 'hourlyCost is missing'],
    [{ hourlyCost: 3, currency: 'EUR', calendarId: 1 }, 'calendarId goes with'],
    [{ dueTime: '24:00' }, 'dueTime'],
  ])('setQueueLevel refuses %j', async ([body, message]) => {
    const { owner, path } = await createQueue(app);
    const { status, error } = await owner.call.setQueueLevel({ path, body });
    expect(status).toBe(400);
    expect(error.message).toContain(message);
  });

  test('setQueueLevel refuses a wait that the calendar does not bring to its end, and updateCalendar to make one so', async () => {
    const { owner, path } = await createQueue(app);
    const seldom = [{ day: 'MONDAY', from: '08:00', to: '08:01' } as const];
    const { body: calendar } = await owner.call.createCalendar({
      body: { name: 'Seldom', timeZone: 'Europe/Berlin', hours: seldom },
    });
    const calendarId = Number(calendar.id);
    const refused = await owner.call.setQueueLevel({ path, body: { calendarId, longestWaitMinutes: 240 } });
    expect(refused.status).toBe(400);
    expect(refused.error.message).toContain('does not have 240 minutes of working time within 1100 days');
    const kept = await owner.call.setQueueLevel({ path, body: { calendarId, longestWaitMinutes: 120 } });
    expect(kept.status).toBe(200);
    const wide = [{ day: 'MONDAY', from: '08:00', to: '17:00' } as const];
    const widened = await owner.call.updateCalendar({
      path: { id: calendarId },
      body: { version: 0, hours: wide },
    });
    expect(widened.status).toBe(200);
    expect(
      (await owner.call.setQueueLevel({ path, body: { calendarId, longestWaitMinutes: 240 } })).status,
    ).toBe(200);
    const narrowed = await owner.call.updateCalendar({
      path: { id: calendarId },
      body: { version: 1, hours: seldom },
    });
    expect(narrowed.status).toBe(400);
  });

  test('setQueueLevel knows no calendar of another tenant', async () => {
    const { owner, path } = await createQueue(app);
    const body = { calendarId: 999_999, longestWaitMinutes: 60 };
    expect((await owner.call.setQueueLevel({ path, body })).status).toBe(404);
  });
});

describe('getQueueForecast', () => {
  test('getQueueForecast says that nothing is open, or why the end cannot be known', async () => {
    const queue = await createQueue(app);
    expect(await forecastOf(queue)).toMatchObject({ code: 'DONE', sentence: 'Nothing is open.' });
    await queue.add(1, 2);
    expect(await forecastOf(queue)).toMatchObject({ code: 'NOBODY_WORKS' });
    await queue.claim();
    const unmeasured = await forecastOf(queue);
    expect(unmeasured).toMatchObject({
      code: 'NOT_MEASURED',
      restsOn: { waiting: 1, running: 1, atOnce: 1 },
    });
    expect(unmeasured).not.toHaveProperty('expectedEndOn');
    await queue.owner.call.pauseQueue({ path: queue.path, body: { reason: 'closing' } });
    expect((await forecastOf(queue)).sentence).toContain('the queue is paused');
  });

  test('getQueueForecast works out the end from measured times and what is worked on at once', async () => {
    const queue = await createQueue(app);
    await finishedBefore(queue, 20, 60);
    await queue.add(...Array.from({ length: 12 }, (_, index) => index));
    await queue.claim(2);
    const forecast = await forecastOf(queue);
    expect(forecast).toMatchObject({
      code: 'ENDS',
      restsOn: {
        waiting: 10,
        running: 2,
        handlingSeconds: 60,
        measuredOver: 'RECENT',
        atOnce: 2,
        isEstimated: false,
      },
    });
    // Ten items, two at once, a minute each, after two that are half done.
    const seconds = (Date.parse(forecast.expectedEndOn ?? '') - Date.parse(forecast.on)) / 1000;
    expect(seconds).toBeCloseTo(345, -1);
    expect(forecast.sentence).toContain('The last of 12 open items is done at about');
  });

  test('getQueueForecast takes the mean of thirty days where little was finished lately', async () => {
    const queue = await createQueue(app);
    await finishedDaysAgo(queue, 4, 120);
    await queue.add(1, 2);
    await queue.claim();
    expect((await forecastOf(queue)).restsOn).toMatchObject({
      handlingSeconds: 120,
      measuredItems: 4,
      measuredOver: 'MONTH',
    });
  });

  test('getQueueForecast counts what comes due, and leaves out what nobody said until when', async () => {
    const queue = await createQueue(app);
    await finishedBefore(queue, 20, 60);
    const [one, two] = await queue.add(1, 2, 3);
    const put = (item: Schemas['WorkItem'] | undefined, more: object) =>
      queue.owner.call.updateWorkItemStatus({
        path: queue.path,
        body: { action: 'DEFER', ids: [Number(item?.id)], ...more },
      });
    await put(one, { deferredUntil: '2099-01-01T00:00:00Z' });
    await put(two, {});
    const { restsOn, expectedEndOn } = await forecastOf(queue);
    expect(restsOn).toMatchObject({ waiting: 1, comingDue: 1, putAside: 1 });
    expect(expectedEndOn).toBe('2099-01-01T00:01:00.000Z');
  });

  test('getQueueForecast says how many more devices would hold the promise', async () => {
    const device = await createDevice(await app.user('agent', ['AAE_Bot Runner']), { slots: 1 });
    const { lines } = await createLine(app, [device]);
    const queue = lines[0]?.queue as QueueFixture;
    await finishedDaysAgo(queue, 20, 600);
    await queue.add(...Array.from({ length: 12 }, (_, index) => index));
    await promise(queue, { longestWaitMinutes: 60, warnMinutes: 0 });
    const { restsOn, level, sentence } = await forecastOf(queue);
    expect(restsOn).toMatchObject({ devices: 1, slotsPerDevice: 1 });
    expect(level).toMatchObject({ state: 'AT_RISK', late: 0, moreDevices: 1 });
    expect(level?.misses).toBeGreaterThan(3);
    expect(sentence).toMatch(
      /^1 more device .*, or \d+ items wait longer than 1 hour, the first at .*\d\d:\d\d/,
    );
  });

  test('getQueueForecast begins the clock of an item anew when it comes back from being put aside', async () => {
    const queue = await createQueue(app);
    await promise(queue, { longestWaitMinutes: 60 });
    await queue.add(1, 2);
    await age(queue, 120);
    expect((await forecastOf(queue)).level).toMatchObject({ state: 'BROKEN', late: 2 });
    const { path, owner } = queue;
    const filter = { operator: 'gt', field: 'id', value: 0 } as const;
    await owner.call.updateWorkItemStatus({ path, body: { action: 'DEFER', filter } });
    expect((await forecastOf(queue)).level).toMatchObject({ state: 'KEPT', late: 0 });
    await owner.call.updateWorkItemStatus({ path, body: { action: 'RELEASE', filter } });
    expect((await forecastOf(queue)).level).toMatchObject({ state: 'AT_RISK', late: 0 });
  });

  test('getQueueForecast puts at risk what nobody works on, and says what to do', async () => {
    const queue = await createQueue(app);
    await promise(queue, { longestWaitMinutes: 60 });
    await queue.add(1);
    const idle = await forecastOf(queue);
    expect(idle).toMatchObject({ code: 'NOBODY_WORKS', level: { state: 'AT_RISK', late: 0 } });
    expect(idle.sentence).toMatch(/due at .*, and late unless somebody works on it, or connects a device/);
    await queue.owner.call.pauseQueue({ path: queue.path, body: { reason: 'The ERP is down' } });
    const paused = await forecastOf(queue);
    expect(paused).toMatchObject({ code: 'PAUSED', level: { state: 'AT_RISK' } });
    expect(paused.sentence).toMatch(/due at .*, and late unless somebody resumes the queue before\./);
  });
});

describe('watchQueueLevels', () => {
  test('listQueueLevels has the promise with its state, and the feed one event for each change of that', async () => {
    const queue = await createQueue(app);
    await queue.add(1, 2);
    await age(queue, 50);
    await promise(queue, { longestWaitMinutes: 60, warnMinutes: 20 });
    await eventually(
      () => stateOf(queue),
      (level) => level?.state === 'AT_RISK',
    );
    await lookAgain(queue);
    await age(queue, 20);
    const broken = await eventually(
      () => stateOf(queue),
      (level) => level?.state === 'BROKEN',
    );
    expect(broken?.forecast?.sentence).toContain('2 items wait longer than 1 hour.');
    await lookAgain(queue);
    await queue.claim(2);
    // Both are started, so that no open item counts for the promise; it was broken, and is kept again after a while.
    await app.sql(`update queue_levels set looked_on = null where queue_id = $1`, [queue.id]);
    const claimed = await eventually(
      () => stateOf(queue),
      (level) => level?.forecast?.restsOn.running === 2,
    );
    expect(claimed?.state).toBe('BROKEN');
    await app.sql(
      `update queue_levels set looked_on = null, calm_since = now() - interval '1 hour' where queue_id = $1`,
      [queue.id],
    );
    await eventually(
      () => stateOf(queue),
      (level) => level?.state === 'KEPT',
    );
    const told = (await namesOfEvents(queue)).filter((name) => name.endsWith('QueueLevel'));
    expect(told).toEqual(['setQueueLevel', 'warnQueueLevel', 'breakQueueLevel', 'keepQueueLevel']);
  });

  test('listQueueLevels has the state of other queues while a look at one fails', async () => {
    const [broken, sound] = [await createQueue(app), await createQueue(app)];
    const hours = [{ day: 'MONDAY', from: '08:00', to: '17:00' } as const];
    const { body: calendar } = await broken.owner.call.createCalendar({
      body: { name: 'Of a zone that went away', timeZone: 'Europe/Berlin', hours },
    });
    await promise(broken, { calendarId: Number(calendar.id), longestWaitMinutes: 60 });
    await app.sql(`update calendars set time_zone = 'Mars' where id = $1`, [calendar.id]);
    await broken.add(1);
    await lookAgain(broken);
    await sound.add(1);
    await age(sound, 120);
    await promise(sound, { longestWaitMinutes: 60 });
    await eventually(
      () => stateOf(sound),
      (level) => level?.state === 'BROKEN',
    );
    await app.sql(`update calendars set time_zone = 'UTC' where id = $1`, [calendar.id]);
  });

  test('listQueueLevels shows nobody the promises of queues that are not theirs', async () => {
    const queue = await createQueue(app);
    await promise(queue, { longestWaitMinutes: 60 });
    const stranger = await app.user('levels-stranger', ['AAE_Basic']);
    expect((await stranger.call.listQueueLevels({})).body.list).toEqual([]);
    expect(await stateOf(queue)).toMatchObject({ state: 'KEPT', longestWaitMinutes: 60 });
  });
});

describe('getQueueSavings', () => {
  test('getQueueSavings says what is missing where nobody said how long a person needs', async () => {
    const { owner, path } = await createQueue(app);
    const { body } = await owner.call.getQueueSavings({ path });
    expect(body).toMatchObject({ complete: 0, repairs: 0 });
    expect(body).not.toHaveProperty('hours');
    expect(body.sentence).toContain('do not say how long a person needs');
  });

  test('getQueueSavings takes off what failed and the time of people who mended', async () => {
    const queue = await createQueue(app, { manualProcessingTime: 30, manualProcessingTimeUnit: 'MINUTES' });
    await promise(queue, { hourlyCost: 40, currency: 'EUR' });
    await queue.add(1, 2, 3, 4);
    const claimed = await queue.claim(4);
    const [one, two, three, four] = claimed.map((item) => held(item));
    const done = { status: 'COMPLETE' } as const;
    const failed = { status: 'FAILED', failureKind: 'BUSINESS', error: 'no' } as const;
    await finish(
      queue,
      { ...one, ...done } as never,
      { ...two, ...done } as never,
      { ...three, ...done } as never,
    );
    await finish(queue, { ...four, ...failed } as never);
    const { owner, path } = queue;
    const workItemId = Number(claimed[3]?.id);
    const item = (await owner.call.getWorkItem({ path: { ...path, workItemId } })).body;
    await owner.call.restartWorkItem({
      path: { ...path, workItemId },
      body: { version: Number(item.version) },
    });
    const { body } = await owner.call.getQueueSavings({ path });
    // Three items at half an hour, minus five minutes for one repair.
    expect(body).toMatchObject({
      manualSeconds: 1800,
      complete: 3,
      failed: 1,
      repairs: 1,
      hours: { worked: 2, failed: 0.5, repairs: 0.08, saved: 1.42 },
      money: { currency: 'EUR', hourlyCost: 40, saved: 56.67 },
      sentence: '1.4 hours were saved, EUR 56.67.',
    });
    const others = { from: '2020-01-01T00:00:00Z', to: '2021-01-01T00:00:00Z' };
    expect((await owner.call.getQueueSavings({ path, query: others })).body).toMatchObject({
      complete: 0,
      repairs: 0,
    });
    expect((await owner.call.getQueueSavings({ path, query: { from: '2099-01-01T00:00:00Z' } })).status).toBe(
      400,
    );
  });

  test('listQueueSavings adds up the savings of all queues that one sees', async () => {
    const queue = await createQueue(app, { manualProcessingTime: 1, manualProcessingTimeUnit: 'HOURS' });
    await promise(queue, { hourlyCost: 10, currency: 'CHF' });
    await finishedBefore(queue, 7, 1);
    await app.sql('delete from queue_savings where queue_id = $1', [queue.id]);
    const filter = { operator: 'eq', field: 'queueId', value: queue.id } as const;
    const listed = await eventually(
      async () => (await queue.owner.call.listQueueSavings({ body: { filter } })).body,
      ({ list }) => list[0]?.complete === 7,
    );
    expect(listed.sums).toEqual({ hours: 7, money: [{ currency: 'CHF', saved: 70 }] });
    const stranger = await app.user('savings-stranger', ['AAE_Basic']);
    expect((await stranger.call.listQueueSavings({})).body).toMatchObject({
      list: [],
      sums: { hours: 0, money: [] },
    });
  });
});
