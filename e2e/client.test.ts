import { createClient, type Client } from '@millrace/api';
import { beforeAll, expect, test } from 'vitest';
import { startApp, type App } from '../server/src/testing/app.ts';
import { createBotUser, createWork, type BotUser } from './work.ts';

let app: App;
let bot: BotUser;

beforeAll(async () => {
  app = await startApp();
  bot = await createBotUser(app, 'device-1');
});

function clientOfBot(more: { token?: string; onToken?: (token: string) => void } = {}): Client {
  return createClient({ url: app.url, username: bot.username, apiKey: bot.apiKey, ...more });
}

test('the client logs in by key and calls operations', async () => {
  const work = await createWork(app, 'Called', [{ n: 1 }, { n: 2 }]);
  const path = { id: work.queueId };
  const client = clientOfBot();
  const { list } = await client.claimWorkItems({ path, body: { count: 5 } });
  const results = list.map(({ id, version }) => ({
    id: Number(id),
    version: Number(version),
    status: 'COMPLETE' as const,
  }));
  expect((await client.finishWorkItems({ path, body: { results } })).list).toMatchObject([
    { status: 'COMPLETE' },
    { status: 'COMPLETE' },
  ]);
  expect(await work.statuses()).toEqual({ COMPLETE: 2 });
});

test('a token that was revoked elsewhere is replaced without the caller noticing', async () => {
  const tokens: string[] = [];
  const client = clientOfBot({ onToken: (token) => void tokens.push(token) });
  await client.listQueues();
  await createClient({ url: app.url, token: String(tokens[0]) }).logOut();
  expect((await client.listQueues()).list).not.toEqual([]);
  expect(new Set(tokens).size).toBe(2);
});

test('a token can be renewed, and the new one is used', async () => {
  const client = clientOfBot();
  await client.listQueues();
  const { token } = await client.refreshToken();
  expect(await client.validateToken({ query: { token } })).toEqual({ valid: true });
  await client.logOut();
  expect(await client.validateToken({ query: { token } })).toEqual({ valid: false });
});

test('a file is uploaded', async () => {
  const work = await createWork(app, 'Uploaded', [{ n: 1 }]);
  const token = await tokenOf('uploader');
  const user = (await app.admin.listUsers()).body.list.find(({ username }) => username === 'uploader');
  await app.admin.addQueueParticipant({ path: { id: work.queueId }, body: { userId: Number(user?.id) } });
  const file = new File(['n,kind\n2,two\n3,three\n'], 'items.csv');
  const client = createClient({ url: app.url, token });
  const answer = await client.createWorkItemsFromFile({ path: { id: work.queueId }, body: { file } });
  expect(answer).toMatchObject({ created: 2 });
  expect(await work.statuses()).toEqual({ NEW: 3 });
});

test('a refusal names what was wrong', async () => {
  const work = await createWork(app, 'Refusing', [{ n: 1 }]);
  const client = createClient({ url: app.url, token: await tokenOf('stranger') });
  const failure = client.getQueue({ path: { id: work.queueId } });
  await expect(failure).rejects.toMatchObject({ name: 'ApiError', status: 404, code: 'NOT_FOUND' });
});

test('a key that is wrong is refused once, and not tried for ever', async () => {
  const client = createClient({ url: app.url, username: bot.username, apiKey: 'wrong' });
  await expect(client.listQueues()).rejects.toMatchObject({ name: 'ApiError', status: 401 });
});

async function tokenOf(username: string): Promise<string> {
  return (await app.user(username)).token;
}
