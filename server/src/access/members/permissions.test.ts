import { operations, type Input, type OperationId, type Schemas } from '@millrace/api';
import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type Caller, type TestUser } from '../../testing/app.ts';
import { createAutomation, createPool } from '../../testing/devices.ts';
import { createDevice, type DeviceFixture } from '../../testing/dispatch.ts';
import { createQueue, withoutNames } from '../../testing/fixtures.ts';
import { addTenant } from '../../testing/tenant.ts';

type QueueOperationId = {
  [O in OperationId]: (typeof operations)[O]['queue'] extends null ? never : O;
}[OperationId];

const viewers = ['OWNER', 'MEMBER', 'PARTICIPANT', 'CONSUMER', 'AUDITOR', 'QUEUE_ADMIN'] as const;
const memberships = [...viewers, 'DEVICE'] as const;
const outsiders = ['a user without membership', 'the administrator of another tenant'] as const;
type Person = (typeof memberships)[number] | (typeof outsiders)[number];

/** The users who may call each operation: repeated here, so that a slip in the contract or in the rules shows. */
const allowed: Record<QueueOperationId, readonly Person[]> = {
  getQueue: viewers,
  getQueueStats: viewers,
  getQueueHistory: viewers,
  getQueueLevel: viewers,
  setQueueLevel: ['OWNER', 'QUEUE_ADMIN'],
  removeQueueLevel: ['OWNER', 'QUEUE_ADMIN'],
  getQueueForecast: viewers,
  getQueueSavings: viewers,
  explainQueue: viewers,
  explainWorkItem: viewers,
  listWorkItems: viewers,
  exportWorkItems: viewers,
  listUploads: viewers,
  getUpload: viewers,
  downloadUploadErrors: viewers,
  undoUpload: ['OWNER', 'MEMBER', 'QUEUE_ADMIN'],
  listBatches: viewers,
  getBatch: viewers,
  createBatch: ['OWNER', 'MEMBER', 'PARTICIPANT', 'QUEUE_ADMIN'],
  closeBatch: ['OWNER', 'MEMBER', 'PARTICIPANT', 'QUEUE_ADMIN'],
  getWorkItem: [...viewers, 'DEVICE'],
  // None of them has the permission; see models/sensitivity.test.ts.
  revealWorkItem: [],
  listWorkItemEvents: viewers,
  createWorkItems: ['OWNER', 'MEMBER', 'PARTICIPANT', 'QUEUE_ADMIN'],
  createWorkItemsFromFile: ['OWNER', 'MEMBER', 'PARTICIPANT', 'QUEUE_ADMIN'],
  previewFile: ['OWNER', 'MEMBER', 'PARTICIPANT', 'QUEUE_ADMIN'],
  // Consumers and devices report the items that they hold; other changes are refused item by item.
  updateWorkItem: ['OWNER', 'MEMBER', 'CONSUMER', 'DEVICE', 'QUEUE_ADMIN'],
  deleteWorkItem: ['OWNER', 'MEMBER', 'QUEUE_ADMIN'],
  updateWorkItemStatus: ['OWNER', 'MEMBER', 'QUEUE_ADMIN'],
  updateWorkItems: ['OWNER', 'MEMBER', 'QUEUE_ADMIN'],
  noteFailureCluster: ['OWNER', 'MEMBER', 'QUEUE_ADMIN'],
  releaseWorkItem: ['OWNER', 'MEMBER', 'QUEUE_ADMIN'],
  restartWorkItem: ['OWNER', 'MEMBER', 'QUEUE_ADMIN'],
  cancelWorkItem: ['OWNER', 'MEMBER', 'QUEUE_ADMIN'],
  resolveWorkItem: ['OWNER', 'MEMBER', 'QUEUE_ADMIN'],
  claimWorkItems: ['CONSUMER', 'QUEUE_ADMIN'],
  heartbeatWorkItems: ['CONSUMER', 'DEVICE', 'QUEUE_ADMIN'],
  watchWorkItems: ['CONSUMER', 'DEVICE', 'QUEUE_ADMIN'],
  finishWorkItems: ['CONSUMER', 'DEVICE', 'QUEUE_ADMIN'],
  updateQueue: ['OWNER', 'QUEUE_ADMIN'],
  deleteQueue: ['OWNER', 'QUEUE_ADMIN'],
  pauseQueue: ['OWNER', 'QUEUE_ADMIN'],
  resumeQueue: ['OWNER', 'QUEUE_ADMIN'],
  // Refused to all while items are in progress, as the claims above have left them.
  archiveQueue: ['OWNER', 'QUEUE_ADMIN'],
  restoreQueue: ['OWNER', 'QUEUE_ADMIN'],
  addQueueConsumer: ['OWNER', 'QUEUE_ADMIN'],
  addOrUpdateQueueMember: ['OWNER', 'QUEUE_ADMIN'],
  addQueueParticipant: ['OWNER', 'QUEUE_ADMIN'],
  listQueueConsumers: viewers,
  listQueueMembers: viewers,
  removeQueueConsumer: ['OWNER', 'QUEUE_ADMIN'],
  removeQueueMember: ['OWNER', 'QUEUE_ADMIN'],
};

/** The queue, the item and the users that the calls are about. */
interface Place {
  readonly path: { id: number };
  readonly item: Schemas['WorkItem'];
  readonly batchId: number;
  readonly uploadId: number;
  readonly bystander: number;
  readonly role: number;
  /** A user and a role that belong to the queue at the beginning of each call. */
  readonly passing: { readonly user: number; readonly role: number };
}

/** A valid call of each operation, so that only permission can be in its way. */
const inputs: { readonly [O in QueueOperationId]: (place: Place) => Partial<Input<O>> } = {
  getQueue: ({ path }) => ({ path }),
  getQueueStats: ({ path }) => ({ path }),
  getQueueHistory: ({ path }) => ({ path }),
  getQueueLevel: ({ path }) => ({ path }),
  setQueueLevel: ({ path }) => ({ path, body: { longestWaitMinutes: 60 } }),
  removeQueueLevel: ({ path }) => ({ path }),
  getQueueForecast: ({ path }) => ({ path }),
  getQueueSavings: ({ path }) => ({ path }),
  explainQueue: ({ path }) => ({ path }),
  explainWorkItem: (place) => ({ path: itemPath(place) }),
  listWorkItems: ({ path }) => ({ path, body: {} }),
  exportWorkItems: ({ path }) => ({ path, body: {} }),
  listUploads: ({ path }) => ({ path }),
  getUpload: ({ path, uploadId }) => ({ path: { ...path, uploadId } }),
  downloadUploadErrors: ({ path, uploadId }) => ({ path: { ...path, uploadId } }),
  undoUpload: ({ path, uploadId }) => ({ path: { ...path, uploadId }, body: {} }),
  listBatches: ({ path }) => ({ path }),
  getBatch: ({ path, batchId }) => ({ path: { ...path, batchId } }),
  createBatch: ({ path }) => ({ path, body: { name: 'Invoices of March' } }),
  closeBatch: ({ path, batchId }) => ({ path: { ...path, batchId } }),
  getWorkItem: (place) => ({ path: itemPath(place) }),
  revealWorkItem: (place) => ({ path: itemPath(place), body: { reason: 'a test' } }),
  listWorkItemEvents: (place) => ({ path: itemPath(place) }),
  createWorkItems: ({ path }) => ({ path, body: { workItems: [{ json: { customer: 'x' } }] } }),
  createWorkItemsFromFile: ({ path }) => ({
    path,
    body: { file: new Blob(['customer\nx\n'], { type: 'text/csv' }) },
  }),
  previewFile: ({ path }) => ({ path, body: { file: new Blob(['customer\nx\n'], { type: 'text/csv' }) } }),
  updateWorkItem: (place) => ({
    path: itemPath(place),
    body: { ...heldIn(place), queueId: place.path.id, status: 'COMPLETE' },
  }),
  deleteWorkItem: (place) => ({ path: itemPath(place) }),
  updateWorkItemStatus: ({ path }) => ({ path, body: { action: 'DEFER', ids: [1] } }),
  updateWorkItems: ({ path }) => ({ path, body: { rows: [{ id: 1, version: 0, json: {} }] } }),
  noteFailureCluster: ({ path }) => ({
    path,
    body: { signature: 'down', failureKind: 'SYSTEM', note: 'wait' },
  }),
  releaseWorkItem: (place) => ({ path: itemPath(place), body: { version: 0 } }),
  restartWorkItem: (place) => ({ path: itemPath(place), body: { version: 0 } }),
  cancelWorkItem: (place) => ({ path: itemPath(place), body: {} }),
  resolveWorkItem: (place) => ({ path: itemPath(place), body: { version: 0, answer: 'DONE' } }),
  claimWorkItems: ({ path }) => ({ path, body: {} }),
  heartbeatWorkItems: (place) => ({ path: place.path, body: { leases: [heldIn(place)] } }),
  watchWorkItems: (place) => ({ path: place.path, body: { leases: [heldIn(place)] } }),
  finishWorkItems: (place) => ({
    path: place.path,
    body: { results: [{ ...heldIn(place), status: 'COMPLETE' }] },
  }),
  updateQueue: ({ path }) => ({ path, body: { version: 0 } }),
  deleteQueue: ({ path }) => ({ path }),
  pauseQueue: ({ path }) => ({ path, body: { reason: 'holidays' } }),
  resumeQueue: ({ path }) => ({ path }),
  archiveQueue: ({ path }) => ({ path }),
  restoreQueue: ({ path }) => ({ path }),
  addQueueConsumer: ({ path, role }) => ({ path, body: { roleId: role } }),
  addOrUpdateQueueMember: ({ path, bystander }) => ({ path: { ...path, userId: bystander }, body: {} }),
  addQueueParticipant: ({ path, bystander }) => ({ path, body: { userId: bystander } }),
  listQueueConsumers: ({ path }) => ({ path }),
  listQueueMembers: ({ path }) => ({ path }),
  removeQueueConsumer: ({ path, passing }) => ({ path: { ...path, roleId: passing.role } }),
  removeQueueMember: ({ path, passing }) => ({ path: { ...path, userId: passing.user } }),
};

function itemPath({ path, item }: Place) {
  return { ...path, workItemId: item.id as number };
}

function heldIn({ item }: Place) {
  return { id: item.id as number, version: item.version as number };
}

const queueOperations = Object.keys(allowed) as QueueOperationId[];
const people = [...memberships, ...outsiders];

let app: App;
let callers: Record<Person, Caller>;
let place: Place;
let add: () => Promise<Schemas['WorkItem'][]>;
let runner: DeviceFixture;

beforeAll(async () => {
  app = await startApp();
  const queue = await createQueue(app);
  const member = await app.user('member');
  const participant = await app.user('participant');
  const stranger = await app.user('stranger');
  const queueAdmin = await app.user('queue admin', ['AAE_Queue Admin']);
  const auditor = await app.user('auditor', ['AAE_Auditor']);
  const foreigner = await addTenant(app, 'second');
  for (const [user, role] of [
    [member, 'MEMBER'],
    [participant, 'PARTICIPANT'],
  ] as const) {
    const path = { ...queue.path, userId: user.id };
    expect((await queue.owner.call.addOrUpdateQueueMember({ path, body: { role } })).status).toBe(200);
  }
  const device = await createDeviceUser();
  runner = await createDevice(device, { slots: 100 });
  await createAutomation(app, queue, await createPool(app, [runner.device]));
  callers = {
    DEVICE: device.call,
    OWNER: queue.owner.call,
    MEMBER: member.call,
    PARTICIPANT: participant.call,
    CONSUMER: queue.consumer.call,
    AUDITOR: auditor.call,
    QUEUE_ADMIN: queueAdmin.call,
    'a user without membership': stranger.call,
    'the administrator of another tenant': foreigner.call,
  };
  add = () => queue.add(1);
  const [item] = await add();
  const bystander = (await app.user('bystander')).id;
  const { list } = (await app.admin.listRoles()).body;
  const role = Number(list.find(({ name }) => name === 'AAE_Pool Admin')?.id);
  const passing = {
    user: (await app.user('passing')).id,
    role: Number((await app.admin.createRole({ body: { name: 'Passing' } })).body.id),
  };
  const batch = await queue.owner.call.createBatch({ path: queue.path, body: { name: 'Invoices' } });
  const batchId = Number(batch.body.id);
  const file = new Blob(['customer,amount\nx,much\n']);
  const upload = await queue.owner.call.createWorkItemsFromFile({ path: queue.path, body: { file } });
  const uploadId = Number(upload.body.uploadId);
  const found = { batchId, uploadId, bystander, role, passing };
  place = { path: queue.path, item: item as Schemas['WorkItem'], ...found };
});

/** A user who has devices, and no role that is a consumer of the queue. */
async function createDeviceUser(): Promise<TestUser> {
  await app.admin.createRole({ body: { name: 'Device', permissions: ['useQueues', 'runDevice'] } });
  return app.user('device', ['Device']);
}

/** Calls an operation on an untouched item; devices, on one that was sent to them. */
async function call(operationId: QueueOperationId, caller: Caller, where: Place = place) {
  const [added] = await add();
  if (operationId.startsWith('remove')) await letIn(place);
  const [item] = caller === callers.DEVICE ? await runner.ask({ count: 1 }) : [added];
  const input = inputs[operationId]({ ...where, item: item as Schemas['WorkItem'] });
  return (caller[operationId] as Caller['getQueue'])(input as Input<'getQueue'>);
}

/** Adds the user and the role that a call may remove to the queue. */
async function letIn({ path, passing: { user, role } }: Place) {
  const { OWNER } = callers;
  expect((await OWNER.addQueueConsumer({ path, body: { roleId: role } })).status).toBe(200);
  expect((await OWNER.addQueueParticipant({ path, body: { userId: user } })).status).toBe(200);
}

/** Whether all of these people have the permission for the operation; of all others, only an administrator has it. */
const isUsual = (operationId: QueueOperationId) =>
  (operations[operationId].permission as string) === 'useQueues';

function verdictOn(operationId: QueueOperationId, person: Person) {
  if (allowed[operationId].includes(person)) return 'is open to';
  const isUnseen = [...outsiders, 'DEVICE'].includes(person);
  // Without the permission, the answer does not reveal whether there is such a queue.
  const isAdministrator = person === 'the administrator of another tenant';
  return isUnseen && (isUsual(operationId) || isAdministrator) ? 'finds no queue for' : 'is forbidden to';
}

it('the matrix of permissions has a row for each operation on a queue', () => {
  const known = Object.entries(operations).filter(([, { queue }]) => queue !== null);
  expect(queueOperations.toSorted()).toEqual(known.map(([operationId]) => operationId).toSorted());
});

describe.each(queueOperations)('%s', (operationId) => {
  const cells = people.map((person) => [verdictOn(operationId, person), person] as const);

  it.each(cells)(`${operationId} %s %s`, async (verdict, person) => {
    const { status, error } = await call(operationId, callers[person]);
    if (verdict === 'finds no queue for') expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
    else if (verdict === 'is forbidden to') expect([status, error.code]).toEqual([403, 'FORBIDDEN']);
    // A conflict is found only after the permission check.
    else expect([200, 204, 409]).toContain(status);
  });

  it(`${operationId} needs a token`, async () => {
    const { status, error } = await call(operationId, app.as(undefined));
    expect([status, error.code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  it(`${operationId} finds no queue for anybody where there is none`, async () => {
    const person = isUsual(operationId) ? 'QUEUE_ADMIN' : 'the administrator of another tenant';
    const { status, error } = await call(operationId, callers[person], {
      ...place,
      path: { id: 987_654_321 },
    });
    expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
  });
});

it('deleteWorkItem and updateQueue change nothing for those who may not', async () => {
  const before = (await callers.OWNER.getQueue({ path: place.path })).body;
  const [item] = await add();
  const path = itemPath({ ...place, item: item as Schemas['WorkItem'] });
  for (const person of ['PARTICIPANT', 'CONSUMER', ...outsiders] as const) {
    await callers[person].deleteWorkItem({ path });
    await callers[person].updateQueue({
      path: place.path,
      body: { version: before.version ?? 0, name: 'Taken over' },
    });
  }
  expect(withoutNames((await callers.OWNER.getWorkItem({ path })).body)).toEqual(item);
  expect((await callers.OWNER.getQueue({ path: place.path })).body).toEqual(before);
});
