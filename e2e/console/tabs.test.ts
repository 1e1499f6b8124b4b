import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addItems, createInvoices } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, setStage } from './stage.ts';

/** A server in front of another, which knows how many streams of each kind are open. */
interface Counter {
  readonly url: string;
  /** Streams that are open now, and the most that were at once, by their paths. */
  readonly open: (path: string) => number;
  readonly most: (path: string) => number;
  readonly stop: () => void;
}

async function startCounter(behind: string): Promise<Counter> {
  const [open, most] = [new Map<string, number>(), new Map<string, number>()];
  const change = (path: string, by: number) => {
    const count = (open.get(path) ?? 0) + by;
    open.set(path, count);
    most.set(path, Math.max(count, most.get(path) ?? 0));
  };
  const server = createServer((asked, answer) => {
    const { method, headers, url = '' } = asked;
    const path = new URL(url, behind).pathname;
    change(path, 1);
    answer.once('close', () => change(path, -1));
    const passed = request(new URL(url, behind), { method, headers }, (given) => {
      answer.writeHead(given.statusCode ?? 502, given.headers);
      given.pipe(answer);
    });
    passed.once('error', () => answer.destroy());
    answer.once('close', () => passed.destroy());
    asked.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: (path) => open.get(path) ?? 0,
    most: (path) => most.get(path) ?? 0,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const figures = '/v4/wlm/queues/stats/stream';
const events = '/v4/wlm/events/stream';

describe.skipIf(browserFile === undefined)('In two tabs of a browser, what is on screen', () => {
  const stage = setStage();
  let token = '';
  let counter: Counter;
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
    counter = await startCounter(stage.app.url);
  });
  afterAll(() => counter.stop());

  const waiting = (page: Page, amount: number) =>
    page
      .getByRole('row', { name: /^Shared/ })
      .getByRole('link', { name: `${amount} Waiting` })
      .waitFor();

  test('follows the figures and the events by one connection each, which the next tab takes over', async () => {
    const { app } = stage;
    const id = await createInvoices(app, 'Shared');
    const first = await stage.open('/console/', { token, url: counter.url });
    await expect.poll(() => [counter.open(figures), counter.open(events)]).toEqual([1, 1]);
    const second = await first.context().newPage();
    await second.addInitScript(`sessionStorage.setItem('millrace-token', ${JSON.stringify(token)})`);
    await second.goto(first.url());
    await waiting(second, 0);
    await addItems(app, id, [{ number: 'S-1' }]);
    // By then the second tab would have asked for streams of its own.
    await Promise.all([waiting(first, 1), waiting(second, 1)]);
    expect([counter.most(figures), counter.most(events)]).toEqual([1, 1]);
    await first.close();
    await addItems(app, id, [{ number: 'S-2' }, { number: 'S-3' }]);
    await waiting(second, 3);
    await expect.poll(() => [counter.open(figures), counter.open(events)]).toEqual([1, 1]);
  });
});
