import type { Input, operations, OperationId } from '@millrace/api';
import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type Caller } from '../../testing/app.ts';
import { createAutomation, createPool, registerDevice } from '../../testing/devices.ts';
import { createQueue } from '../../testing/fixtures.ts';
import { addTenant } from '../../testing/tenant.ts';

type Prefix = `/v4/wlm/${'devices' | 'pools' | 'automations'}${string}`;
type Checked = {
  [O in OperationId]: (typeof operations)[O]['path'] extends Prefix ? O : never;
}[OperationId];

const people = [
  'a pool admin',
  'who may view devices',
  'an owner of the pool',
  'a consumer of the pool',
  'a consumer of pool and queue',
  'the user of the device',
  'another runner',
  'an owner of the queue',
  'a queue admin',
  'a stranger',
  'the administrator of another tenant',
] as const;
type Person = (typeof people)[number];

/** The people by the verdict that they get; people who are not named get FORBIDDEN. */
interface Verdicts {
  readonly allowed: readonly Person[];
  /** People to whom the object seems not to exist. */
  readonly hidden?: readonly Person[];
}

const hidden = ['the administrator of another tenant'] as const;
const poolEditors = ['a pool admin', 'an owner of the pool'] as const;
const poolUsers = [
  ...poolEditors,
  'who may view devices',
  'a consumer of the pool',
  'a consumer of pool and queue',
] as const;
const withoutPool = people.filter((person) => !(poolUsers as readonly Person[]).includes(person));
const withoutDevice = withoutPool.filter((person) => person !== 'the user of the device');
const runners = ['the user of the device', 'another runner', 'the administrator of another tenant'] as const;
const speaking: Verdicts = {
  allowed: ['the user of the device'],
  hidden: ['another runner', 'the administrator of another tenant'],
};
const holds = { allowed: poolEditors, hidden: withoutDevice };
const poolChange = { allowed: poolEditors, hidden: withoutPool };
const automationChange: Verdicts = {
  allowed: [...poolEditors, 'a consumer of pool and queue', 'an owner of the queue', 'a queue admin'],
  hidden: ['a stranger', 'the administrator of another tenant'],
};

/** The callers of each operation: repeated here, so that a slip in the contract or in the rules shows. */
const verdicts: Record<Checked, Verdicts> = {
  registerDevice: { allowed: runners },
  heartbeatDevice: speaking,
  requestWork: speaking,
  listDevices: { allowed: people },
  listDeviceWork: { allowed: people },
  explainDevice: { allowed: [...poolUsers, 'the user of the device'], hidden: withoutDevice },
  getDevice: { allowed: [...poolUsers, 'the user of the device'], hidden: withoutDevice },
  updateDevice: { allowed: ['a pool admin'], hidden },
  deleteDevice: { allowed: ['a pool admin'], hidden },
  drainDevice: holds,
  quarantineDevice: holds,
  resumeDevice: holds,
  createPool: { allowed: ['a pool admin', 'the administrator of another tenant'] },
  listPools: { allowed: people },
  getPool: { allowed: poolUsers, hidden: withoutPool },
  updatePool: poolChange,
  deletePool: poolChange,
  createAutomation: {
    allowed: ['a consumer of pool and queue'],
    // A caller who sees only one of the two is told that the other does not exist.
    hidden: [
      ...poolEditors,
      'a consumer of the pool',
      'an owner of the queue',
      'a queue admin',
      'a stranger',
      'the administrator of another tenant',
    ],
  },
  listAutomations: { allowed: people },
  getAutomation: {
    allowed: [...poolUsers, 'another runner', 'an owner of the queue', 'a queue admin'],
    hidden: ['the user of the device', 'a stranger', 'the administrator of another tenant'],
  },
  explainAutomation: {
    allowed: [...poolUsers, 'another runner', 'an owner of the queue', 'a queue admin'],
    hidden: ['the user of the device', 'a stranger', 'the administrator of another tenant'],
  },
  updateAutomation: automationChange,
  deleteAutomation: automationChange,
};

/** The objects of the calls. */
interface Place {
  readonly device: { readonly id: number };
  readonly pool: { readonly id: number };
  readonly automation: { readonly id: number };
  readonly queueId: number;
  /** A name that is not taken. */
  readonly name: string;
}

const reason = 'to see who may';

/** A valid call of each operation, so that only permission can be in its way. */
const inputs: { readonly [O in Checked]: (place: Place) => Partial<Input<O>> } = {
  registerDevice: ({ name }) => ({ body: { hostName: name } }),
  heartbeatDevice: ({ device }) => ({ path: device, body: {} }),
  requestWork: ({ device }) => ({ path: device, body: {} }),
  listDevices: () => ({}),
  listDeviceWork: () => ({}),
  explainDevice: ({ device }) => ({ path: device }),
  getDevice: ({ device }) => ({ path: device }),
  updateDevice: ({ device }) => ({ path: device, body: { version: 0 } }),
  deleteDevice: ({ device }) => ({ path: device }),
  drainDevice: ({ device }) => ({ path: device, body: { reason } }),
  quarantineDevice: ({ device }) => ({ path: device, body: { reason } }),
  resumeDevice: ({ device }) => ({ path: device, body: { reason } }),
  createPool: ({ name }) => ({ body: { name } }),
  listPools: () => ({}),
  getPool: ({ pool }) => ({ path: pool }),
  updatePool: ({ pool }) => ({ path: pool, body: { version: 0 } }),
  deletePool: ({ pool }) => ({ path: pool }),
  createAutomation: ({ name, queueId, pool }) => ({
    body: { name, queueId, poolId: pool.id, botName: 'bot', status: 'STOPPED', statusReason: reason },
  }),
  listAutomations: () => ({}),
  getAutomation: ({ automation }) => ({ path: automation }),
  explainAutomation: ({ automation }) => ({ path: automation }),
  updateAutomation: ({ automation }) => ({ path: automation, body: { version: 0 } }),
  deleteAutomation: ({ automation }) => ({ path: automation }),
};

let app: App;
let callers: Record<Person, Caller>;
let makeRoom: () => Promise<Place>;
/** The objects of refused calls: they must stay unchanged. */
let untouched: Place;

beforeAll(async () => {
  app = await startApp();
  const queue = await createQueue(app);
  const role = async (name: string, permissions: string[]) =>
    Number((await app.admin.createRole({ body: { name, permissions } })).body.id);
  const consumers = await role('Consumers', ['useQueues', 'runAutomations']);
  const both = await role('Consumers of both', ['useQueues', 'runAutomations']);
  await role('Viewers', ['useQueues', 'viewDevices']);
  await queue.owner.call.addQueueConsumer({ path: queue.path, body: { roleId: both } });
  const owner = await app.user('an owner of the pool');
  // Unlike the role of every runner, it consumes no queue.
  await role('Device runners', ['useQueues', 'runDevice']);
  const deviceUser = await app.user('the user of the device', ['Device runners']);
  callers = {
    'a pool admin': (await app.user('a pool admin', ['AAE_Pool Admin'])).call,
    'who may view devices': (await app.user('who may view devices', ['Viewers'])).call,
    'an owner of the pool': owner.call,
    'a consumer of the pool': (await app.user('a consumer of the pool', ['Consumers'])).call,
    'a consumer of pool and queue': (await app.user('a consumer of both', ['Consumers of both'])).call,
    'the user of the device': deviceUser.call,
    'another runner': queue.consumer.call,
    'an owner of the queue': queue.owner.call,
    'a queue admin': (await app.user('a queue admin', ['AAE_Queue Admin'])).call,
    'a stranger': (await app.user('a stranger')).call,
    'the administrator of another tenant': (await addTenant(app, 'second')).call,
  };
  makeRoom = async () => {
    const device = await registerDevice(deviceUser);
    const pool = await createPool(app, [device], {
      ownerIds: [owner.id],
      consumerRoleIds: [consumers, both],
    });
    const held = { status: 'PAUSED', statusReason: reason } as const;
    const automation = await createAutomation(app, queue, pool, held);
    const pathOf = ({ id }: { id?: unknown }) => ({ id: Number(id) });
    return {
      device: pathOf(device),
      pool: pathOf(pool),
      automation: pathOf(automation),
      queueId: queue.id,
      name: `of ${automation.name}`,
    };
  };
  untouched = await makeRoom();
});

function call(operationId: Checked, caller: Caller, place: Place) {
  const input = inputs[operationId](place);
  return (caller[operationId] as Caller['getDevice'])(input as Input<'getDevice'>);
}

/** New objects for a call that will be performed. */
async function freshPlace(operationId: Checked): Promise<Place> {
  const place = await makeRoom();
  // A pool with an automation would be refused to everybody.
  if (operationId === 'deletePool') await app.admin.deleteAutomation({ path: place.automation });
  return place;
}

function verdictOn(operationId: Checked, person: Person) {
  const { allowed, hidden: unseen = [] } = verdicts[operationId];
  if (allowed.includes(person)) return 'is open to';
  return unseen.includes(person) ? 'finds nothing for' : 'is forbidden to';
}

describe.each(Object.keys(verdicts) as Checked[])('%s', (operationId) => {
  const cells = people.map((person) => [verdictOn(operationId, person), person] as const);

  it.each(cells)(`${operationId} %s %s`, async (verdict, person) => {
    const place = verdict === 'is open to' ? await freshPlace(operationId) : untouched;
    const { status, error } = await call(operationId, callers[person], place);
    if (verdict === 'is open to') expect([200, 204], error?.message).toContain(status);
    else if (verdict === 'is forbidden to') expect([status, error.code]).toEqual([403, 'FORBIDDEN']);
    // A body with the id of an unseen object is invalid; a path with one is not found.
    else if (operationId === 'createAutomation')
      expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
    else expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
  });

  it(`${operationId} needs a token`, async () => {
    const { status } = await call(operationId, app.as(undefined), untouched);
    expect(status).toBe(401);
  });
});

/** The capabilities that a person should be told to have, by the operations that need them. */
function told(person: Person, needed: Readonly<Record<string, Checked>>): string[] {
  return Object.keys(needed).filter((capability) =>
    verdicts[needed[capability] as Checked].allowed.includes(person),
  );
}

describe('capabilities', () => {
  const devices = { view: 'getDevice', hold: 'drainDevice', edit: 'updateDevice' } as const;
  const pools = { view: 'getPool', edit: 'updatePool' } as const;
  const automations = { view: 'getAutomation', edit: 'updateAutomation' } as const;
  type Able = { readonly id?: unknown; readonly capabilities?: readonly string[] | undefined };
  const of = (list: readonly Able[], { id }: { readonly id: number }) => list.find((one) => one.id === id);

  it.each(people)(
    'listDevices, listPools and listAutomations tell %s what the table says',
    async (person) => {
      const caller = callers[person];
      const { device, pool, automation } = untouched;
      const body = { page: { length: 1000 } };
      const [inDevices, inPools, inAutomations] = await Promise.all([
        caller.listDevices({ body }),
        caller.listPools({ body }),
        caller.listAutomations({ body }),
      ]);
      expect(of(inDevices.body.list, device)?.capabilities ?? []).toEqual(told(person, devices));
      const ofPool = of(inPools.body.list, pool)?.capabilities ?? [];
      expect(ofPool.filter((one) => one !== 'use')).toEqual(told(person, pools));
      expect(of(inAutomations.body.list, automation)?.capabilities ?? []).toEqual(told(person, automations));
    },
  );

  const seeing = people.filter((person) =>
    [verdicts.getDevice, verdicts.getPool, verdicts.getAutomation].some(({ allowed }) =>
      allowed.includes(person),
    ),
  );

  it.each(seeing)('getDevice, getPool and getAutomation tell %s the same as their lists', async (person) => {
    const caller = callers[person];
    const { device, pool, automation } = untouched;
    if (verdicts.getDevice.allowed.includes(person))
      expect((await caller.getDevice({ path: device })).body.capabilities).toEqual(told(person, devices));
    if (verdicts.getPool.allowed.includes(person)) {
      const { capabilities = [] } = (await caller.getPool({ path: pool })).body;
      expect(capabilities.filter((one) => one !== 'use')).toEqual(told(person, pools));
    }
    if (verdicts.getAutomation.allowed.includes(person)) {
      const { body } = await caller.getAutomation({ path: automation });
      expect(body.capabilities).toEqual(told(person, automations));
    }
  });

  it('getPool tells who consumes it that they may use it', async () => {
    const { body } = await callers['a consumer of the pool'].getPool({ path: untouched.pool });
    expect(body.capabilities).toEqual(['view', 'use']);
  });
});

it('calls that were refused have changed nothing', async () => {
  const { device, pool, automation } = untouched;
  expect((await app.admin.getDevice({ path: device })).body).toMatchObject({ state: 'ACTIVE', version: 0 });
  expect((await app.admin.getPool({ path: pool })).body.version).toBe(0);
  expect((await app.admin.getAutomation({ path: automation })).body.version).toBe(0);
});

it('the table of permissions speaks of each person once for each operation', () => {
  for (const [operationId, { allowed, hidden: unseen = [] }] of Object.entries(verdicts)) {
    const named = [...allowed, ...unseen];
    expect(new Set(named).size, operationId).toBe(named.length);
  }
});
