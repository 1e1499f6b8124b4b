import type { ComponentType } from 'react';
import { lazyRouteComponent } from '@tanstack/react-router';
import { answered } from './client.ts';

/** The exports of a page's file. */
interface PageFile {
  /** A component without properties. Its type stays unknown: it depends on the routes, which depend on it. */
  readonly Page: unknown;
  /** Loads the data that the page needs before it shows. */
  readonly load?: (params: Params) => Promise<unknown>;
}

/** The variable parts of an address, such as an id. */
export type Params = Readonly<Record<string, string>>;

/** A navigation to a page, or its preload. */
interface Visit {
  readonly cause: 'preload' | 'enter' | 'stay';
  readonly location: { readonly publicHref: string };
}

const place = 'millrace.fetched-anew';

/** A page whose script is fetched when somebody first goes there. */
export function lazily(fetchPage: () => Promise<PageFile>) {
  return {
    component: lazyRouteComponent(fetchPage as () => Promise<{ Page: ComponentType }>, 'Page'),
    loader: async (visit: Visit) => {
      const page = await fetchPage().catch((error: unknown) => goAnew(visit, error));
      sessionStorage.removeItem(place);
      // Each route knows the names of its own parameters.
      await page.load?.((visit as Visit & { params: Params }).params);
    },
  };
}

/** Fetches a part of a page; where the server does not answer, once more when it does. */
export function patiently<Part>(fetchPart: () => Promise<Part>): () => Promise<Part> {
  return () => fetchPart().catch(() => answered().then(fetchPart));
}

/**
 * Loads the page and all scripts anew once the server answers: a browser does not ask twice for a script that it failed to get, and a
 * replaced server has other scripts. Where one new load does not help, the error is thrown.
 */
async function goAnew({ cause, location: { publicHref } }: Visit, error: unknown): Promise<never> {
  if (cause === 'preload' || sessionStorage.getItem(place) === publicHref) throw error;
  await answered();
  sessionStorage.setItem(place, publicHref);
  location.assign(publicHref);
  return new Promise(() => undefined);
}
