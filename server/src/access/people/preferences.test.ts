import { describe, expect, it } from 'vitest';
import { startApp } from '../../testing/app.ts';

const app = await startApp();

const newcomer = async (name: string) => (await app.user(name)).call;

describe('getPreferences', () => {
  it('getPreferences answers nothing to whoever has chosen nothing, and to each what is their own', async () => {
    const [one, other] = await Promise.all([newcomer('one'), newcomer('other')]);
    await one.updatePreferences({ body: { theme: 'DARK' } });
    expect((await one.getPreferences()).body).toEqual({ theme: 'DARK' });
    expect((await other.getPreferences()).body).toEqual({});
    expect((await app.as(undefined).getPreferences()).status).toBe(401);
  });
});

describe('updatePreferences', () => {
  it('updatePreferences changes what is named, takes away what is null, and leaves all else', async () => {
    const call = await newcomer('choosy');
    const first = { theme: 'LIGHT', density: 'COMPACT', timeZone: 'Europe/Berlin', keys: false } as const;
    const more = {
      columns: { 'items-7': ['status', 'col1'], devices: ['name'] },
      pinnedQueueIds: [7, 8],
      sideFolded: true,
    };
    expect((await call.updatePreferences({ body: { ...first, ...more } })).body).toEqual({
      ...first,
      ...more,
    });
    const body = {
      density: null,
      sideFolded: null,
      columns: { devices: null, 'items-8': ['error'] },
      lookedUpTo: '81726-0',
    };
    const wanted = {
      ...{ theme: 'LIGHT', timeZone: 'Europe/Berlin', keys: false, pinnedQueueIds: [7, 8] },
      ...{ columns: { 'items-7': ['status', 'col1'], 'items-8': ['error'] }, lookedUpTo: '81726-0' },
    };
    expect((await call.updatePreferences({ body })).body).toEqual(wanted);
    expect((await call.getPreferences()).body).toEqual(wanted);
    expect((await call.updatePreferences({ body: { columns: null } })).body).not.toHaveProperty('columns');
  });

  it('updatePreferences keeps the changes of two browsers that change different things at the same time', async () => {
    const call = await newcomer('in two rooms');
    const bodies = [{ theme: 'DARK' }, { density: 'TOUCH' }, { keys: false }, { timeZone: 'UTC' }] as const;
    await Promise.all(bodies.map((body) => call.updatePreferences({ body })));
    expect((await call.getPreferences()).body).toEqual(Object.assign({}, ...bodies));
  });

  it.each([
    [{ theme: 'PINK' }, 'theme'],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone'],
    [{ keys: 'yes' }, 'keys'],
    [{ columns: { 'Items 7': [] } }, 'columns'],
    [{ columns: { items: ['a b'] } }, 'columns'],
    [{ pinnedQueueIds: [1, 1] }, 'pinnedQueueIds'],
    [{ sideFolded: 'yes' }, 'sideFolded'],
    [{ lookedUpTo: 'now' }, 'lookedUpTo'],
    [{ favourite: 1 }, 'favourite'],
  ])('updatePreferences refuses %o and names the member', async (body, member) => {
    const { status, error } = await app.admin.updatePreferences({ body: body as object });
    expect([status, error.message]).toEqual([400, expect.stringContaining(member)]);
  });

  it('updatePreferences keeps the columns of 200 lists and 32 KiB at most', async () => {
    const call = await newcomer('collector');
    const lists = (from: number, count: number, columns: string[]) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`list-${from + index}`, columns]));
    expect((await call.updatePreferences({ body: { columns: lists(0, 200, ['id']) } })).status).toBe(200);
    const beyond = await call.updatePreferences({ body: { columns: lists(200, 1, ['id']) } });
    expect([beyond.status, beyond.error.message]).toEqual([400, expect.stringContaining('201 lists')]);
    const wide = Array.from({ length: 100 }, (_, index) => `column_${index}`);
    const large = await call.updatePreferences({ body: { columns: lists(0, 30, wide) } });
    expect([large.status, large.error.message]).toEqual([400, expect.stringContaining('32768 bytes')]);
  });
});
