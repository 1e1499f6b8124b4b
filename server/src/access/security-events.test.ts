import { operations, type Id, type Operation, type OperationId } from '@millrace/api';
import { expect, it } from 'vitest';
import { password, startApp, type Caller } from '../testing/app.ts';
import { seal } from '../testing/audit.ts';
import { keyFile } from '../testing/key-file.ts';
import { browserAt, cookieIn } from '../testing/browser.ts';
import { createQueue } from '../testing/fixtures.ts';
import { newMasterKey } from '../testing/secrets.ts';
import { signingOn, startProvider, worker } from '../testing/sign-on.ts';

const sealingKeyFile = keyFile();
const provider = await startProvider();
const app = await startApp({ sealingKeyFile, masterKey: newMasterKey(), signOn: provider.settings() });
const { admin } = app;
const anyone = app.as(undefined);
const queue = await createQueue(app);
const { path } = queue;
const { id: userId } = await app.user('somebody');
const browser = browserAt(app.url);
const role = (await admin.createRole({ body: { name: 'one', permissions: ['useQueues'] } })).body;
const changed = { name: 'one', permissions: ['useQueues', 'createQueues'], version: role.version };

/** Operations outside of these parts that change who may do what. */
const others: readonly string[] = [
  'createQueue',
  'createPool',
  'updatePool',
  'deletePool',
  'rotateTenantKey',
  'updateWorkItemModel',
];

/** Whether an operation changes rights, keys or sessions, or hands out a file. */
function isAboutSecurity([name, { path: url, effect }]: [string, Operation]): boolean {
  if (effect === 'download' || others.includes(name)) return true;
  const isThere = url.startsWith('/v2/') || /\/(members|participants|consumers|keys)\b/.test(url);
  return isThere && effect !== 'read' && effect !== 'none';
}

/**
 * Operations without an event: renewals of a session whose beginning is recorded, some hundred thousand a day; a sign-on that has proved
 * nothing yet; and the console preferences of a user.
 */
const unrecorded: readonly string[] = ['refreshToken', 'beginSignOn', 'updatePreferences'];

type Answer = Promise<{ status: number }>;

const logIn = async (username: string) => {
  const { body } = await anyone.logIn({ body: { username, password } });
  return { token: body.token, call: app.as(body.token) };
};

const newUser = async (username: string) =>
  Number((await admin.createUser({ body: { username, password, roles: [] } })).body.id);

const newKey = async () => Number((await admin.createApiKey({ body: {} })).body.id);

async function newTenant(name: string): Promise<Id> {
  const { body } = await admin.createTenant({ body: { name, administrator: `admin of ${name}` } });
  return body.tenant.id;
}

const newPool = async (name: string) => Number((await admin.createPool({ body: { name } })).body.id);

async function sessionOf(call: Caller): Promise<string> {
  const { list } = (await call.listSessions()).body;
  return String(list.find(({ current }) => current)?.id);
}

async function openBrowser() {
  return cookieIn(await browser.open((await logIn('admin')).token));
}

/** Calls each operation so that it succeeds. */
const calls: Readonly<Partial<Record<OperationId, () => Answer>>> = {
  logIn: () => anyone.logIn({ body: { username: 'admin', password } }),
  finishSignOn: () => signingOn(app, provider).signOn(worker('ann')),
  rotateTenantKey: () => admin.rotateTenantKey(),
  // Removes the sensitivity of an attribute.
  updateWorkItemModel: async () => {
    const attribute = { name: 'secret', type: 'TEXT' as const };
    const marked = { name: 'marked', attributes: [{ ...attribute, sensitivity: 'SECRET' as const }] };
    const { body: model } = await admin.createWorkItemModel({ body: marked });
    const attributes = [{ name: 'secret', sensitivity: 'NONE' as const }];
    return admin.updateWorkItemModel({
      path: { id: Number(model.id) },
      body: { version: Number(model.version), attributes },
    });
  },
  rewrapTenantKeys: () => admin.rewrapTenantKeys(),
  logOut: async () => (await logIn('admin')).call.logOut({ body: {} }),
  openSession: async () => browser.open((await logIn('admin')).token),
  closeSession: async () => browser.close(await openBrowser()),
  // The old cookie, used again long after it was replaced, is a thief's; a valid one only renews its session.
  exchangeSession: async () => {
    const old = await openBrowser();
    const later = () => app.sql("update browser_sessions set changed_on = changed_on - interval '1 hour'");
    await later();
    await browser.exchange(old);
    await later();
    const { status } = await browser.exchange(old);
    return { status: status === 401 ? 200 : status };
  },
  rotateSigningKey: () => admin.rotateSigningKey({ body: {} }),
  exportWorkItems: () => queue.owner.call.exportWorkItems({ path, body: {} }),
  downloadUploadErrors: async () => {
    const file = new Blob(['customer,amount\nx,many\n']);
    const { body } = await queue.owner.call.createWorkItemsFromFile({ path, body: { file } });
    return queue.owner.call.downloadUploadErrors({ path: { ...path, uploadId: Number(body.uploadId) } });
  },
  exportAudit: async () => {
    await seal(app, sealingKeyFile);
    return admin.exportAudit({ body: {} });
  },
  rotateSealingKey: () => admin.rotateSealingKey(),
  createQueue: async () => {
    const workItemModelId = Number((await queue.owner.call.getQueue({ path })).body.workItemModelId);
    return admin.createQueue({ body: { name: 'another', workItemModelId } });
  },
  createPool: () => admin.createPool({ body: { name: 'first pool' } }),
  updatePool: async () =>
    admin.updatePool({
      path: { id: await newPool('second pool') },
      body: { version: 0, ownerIds: [userId] },
    }),
  deletePool: async () => admin.deletePool({ path: { id: await newPool('third pool') } }),
  addQueueParticipant: () => queue.owner.call.addQueueParticipant({ path, body: { userId } }),
  addOrUpdateQueueMember: () =>
    queue.owner.call.addOrUpdateQueueMember({ path: { ...path, userId }, body: { role: 'MEMBER' } }),
  removeQueueMember: () => queue.owner.call.removeQueueMember({ path: { ...path, userId } }),
  addQueueConsumer: () => queue.owner.call.addQueueConsumer({ path, body: { roleId: role.id } }),
  removeQueueConsumer: () => queue.owner.call.removeQueueConsumer({ path: { ...path, roleId: role.id } }),
  createTenant: async () => ({ status: (await newTenant('second')) ? 200 : 500 }),
  disableTenant: async () => admin.disableTenant({ path: { id: await newTenant('third') } }),
  enableTenant: async () => {
    const id = await newTenant('fourth');
    await admin.disableTenant({ path: { id } });
    return admin.enableTenant({ path: { id } });
  },
  createUser: async () => ({ status: (await newUser('made')) ? 200 : 500 }),
  updateUser: async () => {
    const { version, roles } = (await admin.getUser({ path: { id: userId } })).body;
    return admin.updateUser({ path: { id: userId }, body: { version, roles: [...roles, { id: role.id }] } });
  },
  disableUser: async () => admin.disableUser({ path: { id: await newUser('disabled') } }),
  enableUser: async () => {
    const id = await newUser('enabled');
    await admin.disableUser({ path: { id } });
    return admin.enableUser({ path: { id } });
  },
  deleteUser: async () => admin.deleteUser({ path: { id: await newUser('deleted') } }),
  resetUserPassword: async () => admin.resetUserPassword({ path: { id: await newUser('lost') } }),
  changePassword: async () => {
    await newUser('careful');
    const { call } = await logIn('careful');
    return call.changePassword({ body: { password, newPassword: `${password} staple` } });
  },
  createRole: () => admin.createRole({ body: { name: 'two', permissions: ['useQueues'] } }),
  updateRole: () => admin.updateRole({ path: { id: role.id }, body: changed }),
  deleteRole: async () => {
    const { id } = (await admin.createRole({ body: { name: 'three', permissions: [] } })).body;
    return admin.deleteRole({ path: { id } });
  },
  endSession: async () => {
    const { call } = await logIn('admin');
    return call.endSession({ path: { sessionId: await sessionOf(call) } });
  },
  createApiKey: async () => ({ status: (await newKey()) ? 200 : 500 }),
  rotateApiKey: async () => admin.rotateApiKey({ path: { id: await newKey() } }),
  revokeApiKey: async () => admin.revokeApiKey({ path: { id: await newKey() } }),
};

const all = Object.entries<Operation>(operations).filter(isAboutSecurity);
const recorded = all.flatMap(([name]) => (unrecorded.includes(name) ? [] : [name as OperationId]));

it.each(recorded)('%s is on record with from where and by which program it was called', async (name) => {
  const call = calls[name];
  if (!call) throw new Error(`${name} is about security: call it here, and see that it is on record.`);
  const before = await newest(name);
  expect((await call()).status).toBeLessThan(300);
  const event = await newest(name);
  expect(event?.id).toBeGreaterThan(before?.id ?? 0);
  expect(event?.changes).toMatchObject({ address: '127.0.0.1' });
  // Calls of pages come without a name of the program here.
  if (!name.endsWith('Session') || name === 'endSession')
    expect(event?.changes).toMatchObject({ userAgent: 'node' });
});

/** The newest event of an operation, as seen by readers who may know where users are. */
async function newest(operation: OperationId) {
  const { list } = (await admin.listEvents({ query: { operation, last: 1 } })).body;
  return list[0] as { id: number; changes?: object } | undefined;
}
