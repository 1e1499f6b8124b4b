import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Schemas } from '@millrace/api';
import { startApp, type App, type TestUser } from '../server/src/testing/app.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-version-4-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let app: App;
let owner: TestUser;
let bot: TestUser;

beforeAll(async () => {
  app = await startApp();
  owner = await app.user('owner');
  bot = await app.user('bot', ['AAE_Bot Runner']);
});

// Programs have members of their own: each body has one that Millrace does not know.
const odd = { clientBuild: '11.3', extras: [{ a: 1 }] };

/** A queue that the bot may put items into and process, made by operations of version 4 where they exist. */
async function createQueue(name: string): Promise<number> {
  const attributes = [
    { name: 'customer', type: 'TEXT', ...odd },
    { name: 'amount', type: 'NUMBER' },
  ];
  const model = await owner.call.createWorkItemModel({ body: { name, attributes, ...odd } as never });
  const workItemModelId = Number(model.body.id);
  const created = await owner.call.createQueue({ body: { name, workItemModelId, autoRetryLimit: 1 } });
  const path = { id: Number(created.body.id) };
  const roles = (await app.admin.listRoles()).body.list;
  const roleId = Number(roles.find((role) => role.name === 'AAE_Bot Runner')?.id);
  const answers = [
    await owner.call.addQueueConsumer({ path, body: { roleId, ...odd } }),
    await owner.call.addQueueParticipant({ path, body: { userId: bot.id, ...odd } }),
    await owner.call.addOrUpdateQueueMember({
      path: { ...path, userId: bot.id },
      body: { role: 'PARTICIPANT', ...odd } as never,
    }),
    await bot.call.getQueue({ path }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect((await bot.call.getWorkItemModel({ path: { id: workItemModelId } })).body).toMatchObject({ name });
  return path.id;
}

test('updateWorkItem and the other operations of version 4 are enough for a bot that knows the ids of its items', async () => {
  const id = await createQueue('by version 4');
  const file = new File(['customer,amount\na,1\nb,2\nc,3\nd,4\n'], 'items.csv');
  expect((await bot.call.createWorkItemsFromFile({ path: { id }, body: { file } })).status).toBe(200);
  const { list } = (await bot.call.listWorkItems({ path: { id } })).body;
  const put = async (item: Schemas['WorkItem'], members: object) => {
    const body = { id: item.id, queueId: id, version: item.version, ...odd, ...members };
    const path = { id, workItemId: item.id as number };
    const answer = await bot.call.updateWorkItem({ path, body: body as never });
    expect(answer.status, JSON.stringify(answer.error)).toBe(200);
    return answer.body;
  };
  const reports = [
    { status: 'COMPLETE', result: 'SUCCESS' },
    { status: 'COMPLETE', json: { customer: 'b', amount: 2.5 } },
    { status: 'FAILED', result: 'FAILURE' },
    { status: 'DEFERRED' },
  ];
  const ends: unknown[] = [];
  for (const [index, report] of reports.entries()) {
    const taken = await put(list[index] ?? {}, { status: 'IN_PROGRESS' });
    const kept = await put(taken, { status: 'IN_PROGRESS' });
    expect([kept.status, kept.version]).toEqual(['IN_PROGRESS', 1]);
    const { status, json } = await put(kept, report);
    ends.push([status, json?.['amount']]);
  }
  expect(ends).toEqual([
    ['COMPLETE', 1],
    ['COMPLETE', 2.5],
    ['NEW', 3],
    ['DEFERRED', 4],
  ]);
});

test('docs/version-4.md has a bot that works as it is written', async () => {
  const id = await createQueue('by the document');
  const page = readFileSync(new URL('../docs/version-4.md', import.meta.url), 'utf8');
  const script = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block).join('\n');
  const env = {
    ...process.env,
    URL: app.url,
    NAME: 'bot',
    PASSWORD: 'correct horse battery',
    QUEUE: `${id}`,
  };
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    env,
  });
  expect(stdout).toContain('"created":2,"rows":2');
  expect(stdout.match(/"status":"\w+"/g)).toEqual([
    '"status":"IN_PROGRESS"',
    '"status":"IN_PROGRESS"',
    '"status":"COMPLETE"',
  ]);
  const { list } = (await bot.call.listWorkItems({ path: { id } })).body;
  expect(list.map(({ status, version }) => [status, version])).toEqual([
    ['COMPLETE', 2],
    ['NEW', 0],
  ]);
});
