import { createClient, type Client } from '@millrace/api';
import { beforeAll, expect, test } from 'vitest';
import { idOf } from '../cli/src/names.ts';
import type { Kind } from '../cli/src/kinds.ts';
import { answerOf, itemAttributes, startAsAdmin } from './as-admin.ts';

const { app, env, asAdmin } = await startAsAdmin();
let admin: Client;
/** One of each kind, by a name of it. */
let made: Readonly<Record<string, { readonly kind: Kind; readonly id: unknown }>>;

beforeAll(async () => {
  admin = createClient({ url: app.url, username: 'admin', apiKey: env.MILLRACE_API_KEY });
  made = await makeOneOfEach();
});

async function makeOneOfEach(): Promise<typeof made> {
  const model = await admin.createWorkItemModel({
    body: { name: 'application', attributes: itemAttributes },
  });
  const workItemModelId = model.id ?? expect.fail();
  const queue = await admin.createQueue({ body: { name: 'credit', workItemModelId } });
  const other = await admin.createQueue({ body: { name: 'credit2', workItemModelId } });
  const device = await admin.registerDevice({ body: { hostName: 'host-1', nickname: 'Runner 1' } });
  const pool = await admin.createPool({ body: { name: 'Finance' } });
  const bound = { queueId: queue.id ?? expect.fail(), poolId: pool.id };
  const automation = await admin.createAutomation({ body: { name: 'A1', botName: 'score', ...bound } });
  const user = await app.user('sap-robot', ['AAE_Bot Runner']);
  const { list } = await admin.listRoles();
  return {
    application: { kind: 'model', id: workItemModelId },
    credit: { kind: 'queue', id: queue.id },
    credit2: { kind: 'queue', id: other.id },
    'host-1': { kind: 'device', id: device.id },
    'Runner 1': { kind: 'device', id: device.id },
    Finance: { kind: 'pool', id: pool.id },
    A1: { kind: 'automation', id: automation.id },
    'sap-robot': { kind: 'user', id: user.id },
    'AAE_Bot Runner': { kind: 'role', id: list.find(({ name }) => name === 'AAE_Bot Runner')?.id },
  };
}

test('each kind of thing is found by its name, and devices by either of theirs', async () => {
  for (const [name, { kind, id }] of Object.entries(made))
    expect(await idOf(admin, kind, name), name).toEqual(id);
});

test('an id is not looked up', async () => {
  expect(await idOf(admin, 'queue', '987654')).toBe(987654);
  expect(await idOf(admin, 'queue', '9223372036854775807')).toBe(9223372036854775807n);
});

test('an unknown name is refused with near ones and where to look', async () => {
  await expect(idOf(admin, 'queue', 'credt')).rejects.toThrow(
    'No queue is named "credt", or you may not see it. Did you mean credit or credit2? ' +
      '`millrace queue list` shows those you may see; the id works as well.',
  );
  await expect(idOf(admin, 'device', 'runner 1')).rejects.toThrow('Did you mean Runner 1?');
  await expect(idOf(admin, 'role', 'zzz')).rejects.toThrow('you may not see it. `millrace role list`');
});

test('a name that more than one thing has is refused with all of them', async () => {
  const second = await admin.registerDevice({ body: { hostName: 'Runner 1' } });
  await expect(idOf(admin, 'device', 'Runner 1')).rejects.toThrow(
    `"Runner 1" can mean any of 2 devices: ${String(made['host-1']?.id)} (host-1, Runner 1); ${String(second.id)} (Runner 1). Use the id.`,
  );
  await admin.deleteDevice({ path: { id: second.id } });
});

test('a user who may not list a kind is told to use the id', async () => {
  const runner = createClient({ url: app.url, username: 'sap-robot', password: 'correct horse battery' });
  await expect(idOf(runner, 'user', 'admin')).rejects.toThrow('You may not list users');
  await expect(idOf(runner, 'user', 'admin')).rejects.toThrow('use the id');
  await expect(idOf(runner, 'queue', 'credit')).rejects.toThrow('the id works as well');
});

test('an archived queue is found by its name', async () => {
  expect(answerOf(await asAdmin('queue', 'archive', 'credit2', '--json'))).toMatchObject({ archived: true });
  expect(answerOf(await asAdmin('queue', 'restore', 'credit2', '--json'))).toMatchObject({ archived: false });
});

test('names stand for ids in arguments, flags, lists of ids and records', async () => {
  const pool = ['pool', 'update', 'Finance', '--version', '0', '--device-ids', 'host-1', '--json'];
  const owned = [...pool, '--consumer-role-ids', 'AAE_Bot Runner', '--owner-ids', '["admin","sap-robot"]'];
  expect(answerOf(await asAdmin(...owned))).toMatchObject({
    deviceIds: [made['host-1']?.id],
    consumerRoleIds: [made['AAE_Bot Runner']?.id],
  });
  const automation = ['automation', 'update', 'A1', '--version', '0', '--run-as-user-ids', 'sap-robot'];
  expect(answerOf(await asAdmin(...automation, '--labels', 'sap', '--json'))).toMatchObject({
    runAsUserIds: [made['sap-robot']?.id],
    labels: ['sap'],
  });
  const emptied = ['automation', 'update', 'A1', '--version', '1', '--labels', '', '--json'];
  expect(answerOf(await asAdmin(...emptied))).toMatchObject({ labels: [] });
  const user = ['user', 'create', '--username', 'ana', '--roles', 'AAE_Bot Runner', '--json'];
  expect(answerOf(await asAdmin(...user))).toMatchObject({ roles: [{ name: 'AAE_Bot Runner' }] });
  const member = ['queue', 'set-member', 'credit', 'ana', '--role', 'OWNER', '--json'];
  expect(answerOf(await asAdmin(...member))).toMatchObject({ role: 'OWNER' });
  const drained = ['device', 'drain', 'Runner 1', '--reason', 'patch', '--json'];
  expect(answerOf(await asAdmin(...drained))).toMatchObject({ state: 'DRAINING' });
});

test('names stand for ids in --where and in the feed', async () => {
  const listed = ['automation', 'list', '--where', 'queueId=credit', '--where', 'poolId=Finance', '--json'];
  expect(answerOf(await asAdmin(...listed))).toMatchObject({ list: [{ name: 'A1' }] });
  const events = await asAdmin('events', '--device-id', 'host-1', '--operation', 'registerDevice', '--json');
  expect(answerOf(events)).toMatchObject({ operation: 'registerDevice', deviceId: made['host-1']?.id });
});

test('items are listed, filtered and sorted by display columns, also after an attribute was renamed', async () => {
  const path = { id: made['credit']?.id as number };
  const workItems = ['E', 'F', 'G'].map((customer, amount) => ({ json: { customer, amount } }));
  const { list } = await admin.createWorkItems({ path, body: { workItems } });
  // A done item keeps its record under the former name.
  const done = {
    id: list[1]?.id ?? expect.fail(),
    queueId: path.id,
    version: 0,
    status: 'COMPLETE' as const,
  };
  await admin.updateWorkItem({ path: { ...path, workItemId: done.id }, body: done });
  const model = await admin.getWorkItemModel({ path: { id: made['application']?.id as number } });
  const [customer, amount] = model.attributes ?? [];
  const attributes = JSON.stringify([{ id: customer?.id, name: 'client' }, { id: amount?.id }]);
  const update = ['model', 'update', 'application', '--version', String(model.version)];
  answerOf(await asAdmin(...update, '--attributes', attributes, '--json'));

  const table = await asAdmin('item', 'list', 'credit', '--sort', '-client', '--where', 'amount<2');
  expect(table.code, table.stderr).toBe(0);
  const [head, ...rows] = table.stdout.trimEnd().split('\n');
  expect(head).toMatch(/^id +status .*client +amount$/);
  expect(rows.map((row) => row.split(/ +/).slice(-2))).toEqual([
    ['F', '1'],
    ['E', '0'],
  ]);
  const unknown = await asAdmin('item', 'list', 'credit', '--where', 'customer=E');
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('client, amount') });
  const bulk = ['item', 'bulk', 'credit', '--action', 'MOVE', '--queue-id', 'credit2', '--json'];
  expect(answerOf(await asAdmin(...bulk, '--where', 'client=G', '--dry-run'))).toMatchObject({ changed: 1 });
});
