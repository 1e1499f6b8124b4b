import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApp, type App } from '../testing/app.ts';
import { createQueue } from '../testing/fixtures.ts';

let app: App;

beforeAll(async () => {
  app = await startApp();
});

const office: Schemas['NewCalendar'] = {
  name: 'Office',
  timeZone: 'Europe/Berlin',
  hours: [{ day: 'MONDAY', from: '08:00', to: '17:00' }],
};
let made = 0;

async function createCalendar(more: Partial<Schemas['NewCalendar']> = {}): Promise<Schemas['Calendar']> {
  made += 1;
  const { owner } = await createQueue(app);
  const created = await owner.call.createCalendar({ body: { ...office, name: `Office ${made}`, ...more } });
  expect(created.status, JSON.stringify(created.error)).toBe(200);
  return created.body;
}

describe('createCalendar', () => {
  test('createCalendar stores hours and holidays, and listCalendars finds it', async () => {
    const half = { date: '2026-12-24', name: 'Christmas Eve', hours: [{ from: '08:00', to: '12:00' }] };
    const holidays = [{ date: '2026-12-25', name: 'Christmas Day' }, half];
    const calendar = await createCalendar({ holidays });
    expect(calendar).toMatchObject({ timeZone: 'Europe/Berlin', hours: office.hours, holidays, version: 0 });
    const filter = { operator: 'eq', field: 'name', value: calendar.name } as const;
    const { body } = await app.admin.listCalendars({ body: { filter } });
    expect(body.list).toEqual([calendar]);
  });

  test('getCalendar and listCalendars say what the caller may do, which is what updateCalendar allows', async () => {
    const calendar = await createCalendar();
    const path = { id: Number(calendar.id) };
    const other = await app.user('other maker of calendars', ['AAE_Basic']);
    const user = await app.user('looker at calendars', ['AAE_Auditor']);
    for (const [call, capabilities] of [
      [app.admin, ['view', 'edit']],
      [other.call, ['view']],
      [user.call, ['view']],
    ] as const) {
      expect((await call.getCalendar({ path })).body).toEqual({ ...calendar, capabilities });
      const { list } = (await call.listCalendars({})).body;
      expect(list.find(({ id }) => id === calendar.id)?.capabilities).toEqual(capabilities);
      const { status } = await call.updateCalendar({ path, body: { version: 99 } });
      expect(status).toBe((capabilities as readonly string[]).includes('edit') ? 409 : 403);
    }
    expect(calendar.capabilities).toEqual(['view', 'edit']);
  });

  test.for<[object, string]>([
    [{ timeZone: 'Mars' }, 'timeZone is no time zone'],
    [{ hours: [{ day: 'MONDAY', from: '17:00', to: '08:00' }] }, 'hours.0.to must be later'],
    [{ hours: [{ day: 'MONDAY', from: '25:00', to: '26:00' }] }, 'hours'],
    [{ hours: [] }, 'hours'],
    [{ holidays: [{ date: '2026-02-30', name: 'never' }] }, 'holidays'],
  ])('createCalendar refuses %j', async ([wanted, message]) => {
    const { owner } = await createQueue(app);
    const { status, error } = await owner.call.createCalendar({ body: { ...office, ...wanted } });
    expect(status).toBe(400);
    expect(error.message).toContain(message);
  });

  test('createCalendar refuses a name that is taken', async () => {
    const calendar = await createCalendar();
    const { status, error } = await app.admin.createCalendar({ body: { ...office, name: calendar.name } });
    expect([status, error.code]).toEqual([409, 'NAME_TAKEN']);
  });
});

describe('updateCalendar', () => {
  test('updateCalendar is for who created it and for queue admins, at its version', async () => {
    const { id } = await createCalendar();
    const path = { id: Number(id) };
    const stranger = await app.user('stranger', ['AAE_Basic']);
    expect((await stranger.call.updateCalendar({ path, body: { version: 0 } })).status).toBe(403);
    expect((await stranger.call.deleteCalendar({ path })).status).toBe(403);
    const changed = await app.admin.updateCalendar({ path, body: { version: 0, timeZone: 'UTC' } });
    expect(changed.body).toMatchObject({ timeZone: 'UTC', hours: office.hours, version: 1 });
    expect((await app.admin.updateCalendar({ path, body: { version: 0 } })).status).toBe(409);
  });
});

describe('deleteCalendar', () => {
  test('deleteCalendar is refused while a queue counts in it', async () => {
    const { id } = await createCalendar();
    const path = { id: Number(id) };
    const queue = await createQueue(app);
    const body = { calendarId: path.id, longestWaitMinutes: 60 };
    expect((await queue.owner.call.setQueueLevel({ path: queue.path, body })).status).toBe(200);
    const refused = await queue.owner.call.deleteCalendar({ path });
    expect([refused.status, refused.error.code]).toEqual([409, 'IN_USE']);
    await queue.owner.call.removeQueueLevel({ path: queue.path });
    expect((await queue.owner.call.deleteCalendar({ path })).status).toBe(204);
    expect((await queue.owner.call.getCalendar({ path })).status).toBe(404);
  });
});
