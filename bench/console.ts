/** The cost of the console in a browser: a queue of a million items, and the overview while work goes on. */
import { setTimeout as pause } from 'node:timers/promises';
import { chromium, type CDPSession, type Page } from 'playwright-core';
import { recordsOf } from './scenarios.ts';
import { secondsOf, startLoad } from './soak.ts';
import { password, type Stage } from './stage.ts';

const items = 1_000_000;
const inCall = 10_000;
const screens = 200;
const moments = 12;

/**
 * Opens the console in a browser, and prints the measurements.
 * @param live how long the overview is watched under load, such as 60m
 */
export async function watchConsole(stage: Stage, live: string): Promise<void> {
  const browser = await chromium.launch({
    executablePath: process.env['MILLRACE_BROWSER'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--enable-precise-memory-info'],
  });
  try {
    await fill(stage);
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await logIn(page, stage.server);
    await measureList(page, stage);
    await watchOverview(page, stage, secondsOf(live));
  } finally {
    await browser.close();
  }
}

async function fill({ client, queueId }: Stage): Promise<void> {
  const record = recordsOf(200);
  for (let made = 0; made < items; made += inCall) {
    const workItems = Array.from({ length: inCall }, () => ({ json: JSON.parse(record()) as object }));
    await client.createWorkItems({ path: { id: queueId }, body: { workItems } as never });
  }
  console.log(`${items.toLocaleString('en')} items are in the queue.`);
}

async function logIn(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/console/`);
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
  await page.waitForURL(({ pathname }) => !pathname.includes('login'));
}

/** The first rows after their data, and the tasks and nodes of scrolling from the first to the last. */
async function measureList(page: Page, { server, queueId }: Stage): Promise<void> {
  await page.addInitScript(`window.tasks = [];
    new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) window.tasks.push(duration); })
      .observe({ type: 'longtask', buffered: true });`);
  const answered = page.waitForResponse((response) => response.url().includes('/workitems/list'));
  await page.goto(`${server}/console/queues/${queueId}`);
  await (await answered).finished();
  const begun = performance.now();
  await page.getByRole('grid').getByRole('row').nth(5).waitFor();
  const firstRows = performance.now() - begun;
  await page.evaluate('window.tasks.length = 0');
  const most = await scrollThrough(page);
  const tasks = await page.evaluate<number[]>('window.tasks');
  const last = await page.getByRole('row').last().getAttribute('aria-rowindex');
  console.log(
    `${items.toLocaleString('en')} items: first rows ${firstRows.toFixed(0)} ms after their data; in ${screens} screens ` +
      `${tasks.length} tasks above 50 ms (the longest ${Math.max(0, ...tasks).toFixed(0)} ms), at most ${most} nodes; ` +
      `the last row that was reached is ${last}.`,
  );
}

/** @returns the most nodes that the page had */
async function scrollThrough(page: Page): Promise<number> {
  let most = 0;
  for (let screen = 1; screen <= screens; screen += 1) {
    await page.evaluate(`{ const grid = document.querySelector('[role=grid]');
      grid.scrollTop = grid.scrollHeight * ${screen / screens}; }`);
    await pause(50);
    most = Math.max(most, await page.evaluate<number>('document.querySelectorAll("*").length'));
  }
  await page.getByRole('row').nth(3).waitFor();
  return most;
}

/** Memory and time of the page at some moments, the garbage taken out. */
async function watchOverview(page: Page, stage: Stage, seconds: number): Promise<void> {
  await page.goto(`${stage.server}/console/`);
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const { all, ended } = startLoad(stage, seconds);
  let before = await readPage(session);
  for (let moment = 1; moment <= moments; moment += 1) {
    await pause((seconds * 1000) / moments);
    const now = await readPage(session);
    const share = (100 * (now.busy - before.busy)) / (now.at - before.at);
    before = now;
    console.log(
      `${((moment * seconds) / moments / 60).toFixed(1)} min: ${now.megabytes.toFixed(1)} MB, ${now.nodes} nodes, ` +
        `${now.listeners} listeners, main thread ${share.toFixed(1)} %, ${all.done.size} items done`,
    );
  }
  await ended;
}

async function readPage(session: CDPSession) {
  await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0;
  return {
    megabytes: of('JSHeapUsedSize') / 1_000_000,
    nodes: of('Nodes'),
    listeners: of('JSEventListeners'),
    busy: of('TaskDuration'),
    at: of('Timestamp'),
  };
}
