import { existsSync } from 'node:fs';
import axe from 'axe-core';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from 'playwright-core';
import { afterEach, beforeAll, expect } from 'vitest';
import type { Config } from '../../server/src/engine/config.ts';
import { startApp, type App } from '../../server/src/testing/app.ts';

// The first has no windows to keep, which takes a third less of the processor.
const places = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** The browser of this machine; undefined where there is none. */
export const browserFile = places.find(existsSync);

/** The console in a browser, on a server: one server for all tests of a file. */
export interface Stage {
  readonly app: App;
  /** A fresh browser window, logged in with a token unless that is left out. */
  readonly open: (address: string, how?: Opening) => Promise<Page>;
}

interface Opening extends BrowserContextOptions {
  readonly token?: string;
  /** A server other than the stage's. */
  readonly url?: string;
  /** The browser's own complaints about refused and broken requests, and the other hosts it asks, where a test brings them about. */
  readonly expected?: RegExp;
}

/** A stage that has to be ended. */
interface OpenStage extends Stage {
  /** Ends everything that a test has opened, and fails when the console complained in it. */
  readonly clear: () => Promise<void>;
}

/**
 * Sets the stage for the tests of a file, or of a suite in it: it is there from its other hooks on, cleared after each test, and its server ended
 * after the last.
 * @param settingsOf of the server; asked for once the hooks before have run
 */
export function setStage(settingsOf: () => Partial<Config> = () => ({})): Stage {
  let stage: OpenStage | undefined;
  const now = () => {
    if (stage) return stage;
    throw new Error('The stage is set before the tests: open it in one of them, or in a hook.');
  };
  beforeAll(async () => {
    stage = await openStage(settingsOf());
  });
  afterEach(() => stage?.clear());
  return {
    get app() {
      return now().app;
    },
    open: (address, how) => now().open(address, how),
  };
}

async function openStage(settings: Partial<Config>): Promise<OpenStage> {
  const [app, browser] = await Promise.all([startApp(settings), browserOfWorker()]);
  const opened: BrowserContext[] = [];
  const complaints: string[] = [];
  return {
    app,
    open: async (address, how = {}) => {
      const page = await newPage(browser, how);
      opened.push(page.context());
      const { url = app.url } = how;
      watch(page, url, how.expected, complaints);
      await page.goto(url + address);
      return page;
    },
    clear: async () => {
      await Promise.all(opened.splice(0).map((context) => context.close()));
      expect(complaints.splice(0)).toEqual([]);
    },
  };
}

let browserHere: Promise<Browser> | undefined;

/** The browser that all files of this worker share, each test in windows of its own: it ends with the worker. */
async function browserOfWorker(): Promise<Browser> {
  browserHere ??= chromium.launch({
    ...(browserFile && { executablePath: browserFile }),
    // Inside containers neither its sandbox nor its shared memory works.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  const browser = await browserHere;
  browser.once('disconnected', () => (browserHere = undefined));
  return browser;
}

async function newPage(browser: Browser, { token, url: _url, expected: _expected, ...options }: Opening) {
  const context = await browser.newContext({
    permissions: ['clipboard-read', 'clipboard-write'],
    ...options,
  });
  const page = await context.newPage();
  // Far beyond what a busy machine needs.
  page.setDefaultTimeout(300_000);
  if (token) {
    const place = JSON.stringify('millrace-token');
    // Only once: a token that the page forgets must stay forgotten.
    await page.addInitScript(
      `if (!window.name) sessionStorage.setItem(${place}, ${JSON.stringify(token)}); window.name = 'begun';`,
    );
  }
  return page;
}

/** Notes everything that must not happen in any test: errors, violations of the policy, and requests to other servers. */
function watch(page: Page, url: string, expected: RegExp | undefined, complaints: string[]): void {
  page.on('console', (message) => {
    const text = `${message.text()} ${message.location().url}`;
    const isBad = ['error', 'warning'].includes(message.type());
    if (isBad && !expected?.test(text)) complaints.push(`${message.type()}: ${text}`);
  });
  page.on('pageerror', (error) => complaints.push(`page error: ${error.stack ?? error.message}`));
  page.on('request', (request) => {
    const isOurs = request.url().startsWith(url);
    if (!isOurs && !expected?.test(request.url())) complaints.push(`request to ${request.url()}`);
  });
}

/** The findings of axe against WCAG 2.2 AA, in the page as it stands: by all of its rules, or by these. */
async function violationsIn(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(axe.source);
  const options = { runOnly: rules ?? standards, resultTypes: ['violations'] };
  const found = await page.evaluate<{
    violations: { id: string; nodes: { html: string; any: { message: string }[] }[] }[];
  }>(`axe.run(${JSON.stringify(options)})`);
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(
      ({ html, any }) => `${id}: ${html.slice(0, 160)} ${any.map(({ message }) => message).join('; ')}`,
    ),
  );
}

const standards = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
/** The rules that look at colours: the others find the same in both themes. */
const rulesOfColours = ['color-contrast', 'link-in-text-block'];

/** Looks at the page in both themes. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  expect(await violationsIn(page), `${page.url()} light`).toEqual([]);
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  expect(await violationsIn(page, rulesOfColours), `${page.url()} dark`).toEqual([]);
}
