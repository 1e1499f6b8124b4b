import type { Page } from 'playwright-core';
import type { App } from '../../server/src/testing/app.ts';
import type { Stage } from './stage.ts';

export const title = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true });
export const dialog = (page: Page) => page.getByRole('dialog');
export const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
export const pause = (page: Page) => page.getByRole('button', { name: 'Pause', exact: true });
export const link = (page: Page, name: string | RegExp) => page.getByRole('link', { name });
export const region = (page: Page, name: string) => page.getByRole('region', { name });
export const tray = (page: Page) => region(page, 'Changes of many items');

/** The scene of the jobs: a server, and a browser whose user may do everything. */
export interface Scene {
  readonly app: App;
  /** Opens a page: nothing of it has the focus. */
  readonly begin: (address?: string) => Promise<Page>;
}

export function sceneOn(stage: Stage, token: string): Scene {
  return {
    app: stage.app,
    begin: async (address = '') => {
      const page = await stage.open(`/console/${address}`, { token });
      await page.getByRole('heading', { level: 1 }).waitFor();
      return page;
    },
  };
}

export async function countsOf({ admin }: App, id: number) {
  return (await admin.getQueueStats({ path: { id } })).body.counts;
}

/** The items of a queue, in the order in which they came. */
export async function itemsOf({ admin }: App, id: number) {
  return (await admin.listWorkItems({ path: { id }, body: { sort: [{ field: 'id' }] } })).body.list;
}
