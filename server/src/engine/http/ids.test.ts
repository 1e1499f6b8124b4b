import { operations, type Operation } from '@millrace/api';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApp, type App } from '../../testing/app.ts';
import { createQueue, type QueueFixture } from '../../testing/fixtures.ts';

let app: App;
let queue: QueueFixture;

beforeAll(async () => {
  app = await startApp();
  queue = await createQueue(app);
});

/** Asserts that the owner of the queue is refused for a member or parameter that is not an id. */
async function expectNoId(
  method: string,
  path: string,
  body?: string,
  message: string | RegExp = /whole number/,
) {
  const headers = {
    'x-authorization': queue.owner.token,
    ...(body !== undefined && { 'content-type': 'application/json' }),
  };
  const response = await fetch(app.url + path, { method, headers, ...(body !== undefined && { body }) });
  const error = (await response.json()) as { code: string; message: string };
  expect([response.status, error.code], `${method} ${path} ${body}`).toEqual([400, 'INVALID_REQUEST']);
  expect(error.message).toMatch(message);
}

describe('an id', () => {
  const others = ['01', '%2B1', '1.0', '1e0', '0x1', '%201', '9223372036854775808'];
  // Sessions have names instead of numbers.
  const withIds = Object.values<Operation>(operations).filter(
    ({ path }) => path.includes('{') && !path.includes('/sessions/'),
  );

  test('has one spelling in every path', async () => {
    for (const { method, path } of withIds) {
      const [, ...names] = path.split('{');
      for (const [index] of names.entries()) {
        let at = -1;
        const url = (text: string) => path.replace(/\{\w+\}/g, () => ((at += 1) === index ? text : '1'));
        const text = others[(index + path.length) % others.length] as string;
        await expectNoId(method, url(text));
      }
    }
  });

  test.each(['queueId', 'actorId', 'deviceId'])('has one spelling in a query: %s', async (name) => {
    for (const text of others) {
      await expectNoId('GET', `/v4/wlm/events?${name}=${text}`);
    }
  });

  test.each(['"1"', '"01"', '1.5', '-1', '9223372036854775808', '1e19', '1e400', 'true', 'null'])(
    'in a body is a whole number of 64 bits, not %s',
    async (text) => {
      await expectNoId(
        'POST',
        '/v4/wlm/queues',
        `{"name":"one spelling","workItemModelId":${text}}`,
        'workItemModelId',
      );
    },
  );

  test('in a body may be the highest one, which is unknown', async () => {
    await expectNoId(
      'POST',
      '/v4/wlm/queues',
      '{"name":"one spelling","workItemModelId":9223372036854775807}',
      '9223372036854775807',
    );
  });
});
