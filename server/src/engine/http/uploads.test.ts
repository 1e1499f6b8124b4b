import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { startApp, type App } from '../../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../../testing/fixtures.ts';

let app: App;
let queue: QueueFixture;
/** The folder of a process that has ended. */
let leftOver: string;

beforeAll(async () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  leftOver = path.join(tmpdir(), `millrace-uploads-${pid}-test`);
  mkdirSync(leftOver);
  app = await startApp({ maxUploads: 3, maxUserUploads: 2 });
  queue = await createQueue(app);
});

const folders = () =>
  readdirSync(tmpdir())
    .filter((name) => name.startsWith(`millrace-uploads-${process.pid}-`))
    .map((name) => path.join(tmpdir(), name));
const files = async () => folders().flatMap((folder) => readdirSync(folder));

/** Begins to send a file whose rest never comes. */
function beginUpload(token: string) {
  const call = request(`${app.url}/v4/wlm/queues/${queue.id}/file`, {
    method: 'POST',
    headers: { 'x-authorization': token, 'content-type': 'multipart/form-data; boundary=x' },
  });
  call.on('error', () => undefined);
  call.write('--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\ncustomer\nJane\n');
  return call;
}

test('createWorkItemsFromFile keeps a file where nobody else can read it, and no longer than its sender stays', async () => {
  const call = beginUpload(queue.owner.token);
  await eventually(files, ({ length }) => length === 1);
  expect(folders().map((folder) => statSync(folder).mode & 0o777)).toEqual(folders().map(() => 0o700));
  call.destroy();
  expect(await eventually(files, ({ length }) => length === 0)).toEqual([]);
});

test('createWorkItemsFromFile keeps nothing of a refused file', async () => {
  const body = { file: new Blob(['nobody\n1\n']) };
  const { status } = await queue.owner.call.createWorkItemsFromFile({ path: queue.path, body });
  expect(status).toBe(400);
  expect(await eventually(files, ({ length }) => length === 0)).toEqual([]);
});

test('createWorkItemsFromFile takes a number of files at a time, from one user and from all', async () => {
  const member = await app.user('member');
  const role = { role: 'MEMBER' } as const;
  await queue.owner.call.addOrUpdateQueueMember({ path: { ...queue.path, userId: member.id }, body: role });
  const begun = [queue.owner.token, queue.owner.token].map(beginUpload);
  await eventually(files, ({ length }) => length === 2);
  const refusalOf = async (token: string) => {
    const [{ statusCode, headers }] = (await once(beginUpload(token), 'response')) as [IncomingMessage];
    return [statusCode, headers['retry-after']];
  };
  expect(await refusalOf(queue.owner.token)).toEqual([429, '10']);
  begun.push(beginUpload(member.token));
  await eventually(files, ({ length }) => length === 3);
  expect(await refusalOf(member.token)).toEqual([503, '10']);
  for (const call of begun) call.destroy();
  await eventually(files, ({ length }) => length === 0);
  const body = { file: new Blob(['customer\nJane\n']) };
  expect((await queue.owner.call.createWorkItemsFromFile({ path: queue.path, body })).status).toBe(200);
});

test('files that a killed server has left are removed when the next one starts', () => {
  expect(readdirSync(tmpdir())).not.toContain(path.basename(leftOver));
});
