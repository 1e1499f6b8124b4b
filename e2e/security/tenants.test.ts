import { operations, parseJson, type Operation, type OperationId } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { createDatabase, password } from '../../server/src/testing/app.ts';
import { eventually } from '../../server/src/testing/fixtures.ts';
import { inputOf } from '../../server/src/testing/inputs.ts';
import { newMasterKey } from '../../server/src/testing/secrets.ts';
import { urlOf } from '../history/server.ts';
import { createHome, startMillrace } from '../millrace.ts';
import { callerAt, type Call } from './calls.ts';

const server = startMillrace(createHome(), ['serve', '--port', '0'], {
  MILLRACE_DATABASE_URL: urlOf(await createDatabase()),
  MILLRACE_ALLOW_LOSS: 'yes',
  MILLRACE_ADMIN_PASSWORD: password,
  MILLRACE_LOG_LEVEL: 'trace',
  MILLRACE_MASTER_KEY: newMasterKey(),
});
await eventually(
  async () => server.said(),
  (said) => said.includes('Stop it with Ctrl-C.'),
);
const url = String(/(http:\S+)\/docs/.exec(server.said())?.[1]);
const anyone = callerAt(url);

async function answerOf(call: Call, operationId: OperationId, input: object = {}) {
  const { status, text } = await call(operationId, input);
  expect([200, 204], `${operationId} answered ${status} ${text}`).toContain(status);
  return parseJson(text || '{}') as Record<string, unknown> & { list: Record<string, unknown>[] };
}

async function logIn(username: string, given = password): Promise<Call> {
  const { token } = await answerOf(anyone, 'logIn', { body: { username, password: given } });
  return callerAt(url, String(token));
}

type Ids = Readonly<Record<string, unknown>>;

/** A tenant whose every text has its mark. */
interface Tenant {
  readonly mark: string;
  readonly admin: Call;
  /** Its things, by the names that members and parameters have for their ids. */
  readonly ids: Ids;
}

const operator = await logIn('admin');

async function createTenant(mark: string): Promise<Tenant> {
  const username = `admin ${mark}`;
  const made = await answerOf(operator, 'createTenant', { body: { name: mark, administrator: username } });
  const temporary = await logIn(username, String(made['temporaryPassword']));
  await answerOf(temporary, 'changePassword', {
    body: { password: made['temporaryPassword'], newPassword: password },
  });
  const admin = await logIn(username);
  const ids = await fill(admin, mark);
  await tryEverything(admin, mark, ids);
  return { mark, admin, ids };
}

/** The value of an encrypted attribute. */
const personal = (mark: string) => `personal ${mark}`;

/** Creates one of each thing, with the mark in all human-written texts. */
async function fill(admin: Call, mark: string): Promise<Ids> {
  const make = async (operationId: OperationId, body: object, path: object = {}) =>
    answerOf(admin, operationId, { path, body });
  const reason = { reason: `reason ${mark}` };
  const attributes = [
    { name: 'customer', type: 'TEXT' },
    { name: `Attribute ${mark.replaceAll('-', ' ')}`, type: 'TEXT', isRequired: false },
    { name: 'phone', type: 'TEXT', isRequired: false, sensitivity: 'PERSONAL' },
  ];
  const model = await make('createWorkItemModel', { name: `model ${mark}`, attributes });
  const queue = await make('createQueue', {
    name: `queue ${mark}`,
    description: mark,
    workItemModelId: model['id'],
  });
  const path = { id: queue['id'] };
  const json = { customer: `customer ${mark}`, phone: personal(mark) };
  const { list } = await make(
    'createWorkItems',
    { workItems: [{ json, tags: [mark] }, { json: { customer: `second ${mark}` } }] },
    path,
  );
  const role = await make('createRole', {
    name: `role ${mark}`,
    description: mark,
    permissions: ['useQueues'],
  });
  const user = await make('createUser', {
    username: `user ${mark}`,
    firstName: mark,
    lastName: mark,
    email: `a@${mark}.example`,
    description: mark,
    roles: [{ id: role['id'] }],
  });
  const key = await make('createApiKey', { name: `key ${mark}` });
  const device = await make('registerDevice', {
    ...{ hostName: `host-${mark}`, nickname: `nick ${mark}`, bots: [`bot ${mark}`] },
    ...{ labels: [mark], agentVersion: mark },
  });
  const pool = await make('createPool', {
    name: `pool ${mark}`,
    description: mark,
    deviceIds: [device['id']],
  });
  const automation = await make('createAutomation', {
    name: `automation ${mark}`,
    queueId: queue['id'],
    poolId: pool['id'],
    botName: `bot ${mark}`,
  });
  const view = await make('createView', {
    ...{ name: `view ${mark}`, page: 'ITEMS', query: mark, shared: true },
    queueId: queue['id'],
  });
  await make('quarantineDevice', reason, { id: device['id'] });
  await make('pauseQueue', reason, path);
  await make('resumeQueue', reason, path);
  const session = (await answerOf(admin, 'listSessions')).list[0];
  const item = list[0]?.['id'];
  return {
    ...{ queueId: queue['id'], queueIds: [queue['id']], workItemModelId: model['id'], modelId: model['id'] },
    ...{
      workItemId: item,
      itemId: item,
      ids: [item],
      roleId: role['id'],
      roleIds: [role['id']],
      consumerRoleIds: [role['id']],
    },
    ...{
      userId: user['id'],
      ownerIds: [user['id']],
      runAsUserIds: [user['id']],
      roles: [{ id: role['id'] }],
      apiKeyId: key['id'],
    },
    ...{
      deviceId: device['id'],
      deviceIds: [device['id']],
      poolId: pool['id'],
      automationId: automation['id'],
      sessionId: session?.['id'],
      viewId: view['id'],
    },
  };
}

// The things in the collections of paths.
const idOf: Record<string, string> = {
  ...{ queues: 'queueId', workitemmodels: 'workItemModelId', pools: 'poolId', automations: 'automationId' },
  ...{ devices: 'deviceId', users: 'userId', roles: 'roleId', apikeys: 'apiKeyId' },
  views: 'viewId',
};

/** An input of an operation about these things. */
function inputAbout(operationId: OperationId, ids: Ids, mark?: string) {
  const [, collection = ''] = /\/(\w+)\/\{id\}/.exec(operations[operationId].path) ?? [];
  const known = { ...ids, id: ids[idOf[collection] ?? ''] ?? 1, type: 'TEXT' };
  return inputOf(operationId, { known, ...(mark && { isWhole: true, text: (name) => `${name} ${mark}` }) });
}

/** Whether a body names things by their ids. */
const namesThings = ({ body = {} }: ReturnType<typeof inputAbout>, ids: Ids) =>
  Object.keys(body as object).some((name) => name in ids);

const all = Object.entries<Operation>(operations) as [OperationId, Operation][];
const isReading = ({ effect, method }: Operation) =>
  effect === 'read' || effect === 'stream' || method === 'GET';
const ends =
  /^(delete|disable|archive|remove|revoke|rotate|end|log|close|change|reset|refresh|exchange|open)/;
const query = (operationId: OperationId) =>
  operationId.endsWith('Events') && !operations[operationId].path.includes('{') ? '?last=1000' : '';

/**
 * Calls every operation that changes something and ends nothing, with the mark in every member; many calls are refused, and stay in no
 * answer.
 */
async function tryEverything(admin: Call, mark: string, ids: Ids): Promise<void> {
  for (const [operationId, operation] of all)
    if (!isReading(operation) && !ends.test(operationId))
      await admin(operationId, inputAbout(operationId, ids, mark));
}

/** All answers to a caller about these things, and of all lists. */
async function readAll(call: Call, ids: Ids): Promise<Map<OperationId, string>> {
  const told = new Map<OperationId, string>();
  for (const [operationId, operation] of all)
    if (isReading(operation))
      told.set(operationId, (await call(operationId, inputAbout(operationId, ids), query(operationId))).text);
  return told;
}

const [left, right] = [await createTenant('canary-left'), await createTenant('canary-right')];

describe.each([
  ['left', left, right],
  ['right', right, left],
] as const)('the tenant on the %s', (_, mine, other) => {
  test('finds its own marks in what it reads, so that the search would find others', async () => {
    const told = await readAll(mine.admin, mine.ids);
    const marked = [...told].flatMap(([operationId, text]) =>
      text.includes(mine.mark) ? [operationId] : [],
    );
    expect(marked).toEqual(
      expect.arrayContaining([
        ...[
          'listQueues',
          'getQueue',
          'listWorkItems',
          'getWorkItem',
          'listWorkItemModels',
          'listUsers',
          'getUser',
          'listRoles',
        ],
        ...[
          'listDevices',
          'getDevice',
          'listPools',
          'listAutomations',
          'listApiKeys',
          'listSessions',
          'listEvents',
          'streamEvents',
        ],
        ...['getMe', 'listWorkItemEvents', 'listQueueMembers', 'listViews', 'getView'],
      ]),
    );
  });

  test.each(all)(
    'is told nothing of the other by %s, and changes nothing there',
    async (operationId, operation) => {
      if (isReading(operation)) {
        const own = await mine.admin(operationId, inputAbout(operationId, mine.ids), query(operationId));
        expect(own.text).not.toContain(other.mark);
      }
      const inputs = [inputAbout(operationId, other.ids), inputAbout(operationId, other.ids, 'unmarked')];
      for (const input of inputs) {
        // A public operation with a token would end that token's session.
        const call = operation.permission === 'public' ? anyone : mine.admin;
        const { status, text } = await call(operationId, input);
        expect(text).not.toContain(other.mark);
        expect(status, text).toBeLessThan(500);
        // The call may have other faults, but it finds and uses nothing of another tenant.
        const isUse = !isReading(operation) && namesThings(input, other.ids);
        if (operation.path.includes('{') || isUse) expect(status, text).toBeGreaterThanOrEqual(400);
      }
    },
  );

  test.each(
    all.filter(
      ([operationId, operation]) =>
        operation.permission !== 'public' &&
        !isReading(operation) &&
        namesThings(inputAbout(operationId, left.ids, 'x'), left.ids),
    ),
  )('uses nothing of the other for things of its own by %s', async (operationId) => {
    const [whole, least] = [inputAbout(operationId, mine.ids, mine.mark), inputAbout(operationId, mine.ids)];
    for (const name of Object.keys(whole.body as object).filter((one) => one in mine.ids))
      for (const own of [whole, least]) {
        const input = { ...own, body: { ...(own.body as object), [name]: other.ids[name] } };
        const { status, text } = await mine.admin(operationId, input);
        expect(text).not.toContain(other.mark);
        expect(status, text).toBeLessThan(500);
        // Of many things at a time, each is refused by itself.
        if (status < 400) expect(text).toMatch(/"code":"(NOT_FOUND|LEASE_LOST)"/);
      }
  });

  test('sees its own personal values when it asks for them, and else none', async () => {
    const reveal = inputAbout('revealWorkItem', mine.ids);
    expect((await mine.admin('revealWorkItem', reveal)).text).toContain(personal(mine.mark));
    for (const [operationId, text] of await readAll(mine.admin, mine.ids))
      expect(text, operationId).not.toContain(personal(mine.mark));
  });

  test('reads no event of the other', async () => {
    const { text } = await mine.admin('listEvents', {}, '?last=1000');
    expect(text).toContain(mine.mark);
    expect(text).not.toContain(other.mark);
  });
});

test('what both have is as it was, after each has tried everything on the other', async () => {
  for (const { admin, ids, mark } of [left, right])
    for (const operationId of [
      'getQueue',
      'getWorkItem',
      'getWorkItemModel',
      'getUser',
      'getRole',
      'getDevice',
      'getPool',
    ] as const)
      expect((await admin(operationId, inputAbout(operationId, ids))).text, operationId).toContain(mark);
});

test('the log of the server has no mark of anybody, at the level that tells most', async () => {
  server.process.kill('SIGTERM');
  const { stdout, stderr } = await server.ended;
  expect(stdout).toContain('"level":');
  const secrets = [left.mark, right.mark, password];
  const telling = (stdout + stderr)
    .split('\n')
    .filter((line) => secrets.some((secret) => line.includes(secret)));
  expect(telling).toEqual([]);
});
