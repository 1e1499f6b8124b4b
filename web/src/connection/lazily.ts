import type { ComponentType } from 'react';
import { lazyRouteComponent } from '@tanstack/react-router';
import { answered } from './client.ts';

/** What a file of a page exports. */
interface PageFile {
  /** A component without properties. Its type is not looked at, as that depends on the routes, which depend on it. */
  readonly Page: unknown;
  /** Reads what the page needs before it shows. */
  readonly load?: (params: Params) => Promise<unknown>;
}

/** The parts of an address that stand for something, such as an id. */
export type Params = Readonly<Record<string, string>>;

/** Somebody goes to a page, or is about to. */
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
      // Its type is left to each route, which knows the names.
      await page.load?.((visit as Visit & { params: Params }).params);
    },
  };
}

/** Fetches a part of a page; where the server does not answer, once more when it does. */
export function patiently<Part>(fetchPart: () => Promise<Part>): () => Promise<Part> {
  return () => fetchPart().catch(() => answered().then(fetchPart));
}

/**
 * Goes to the page by loading all anew once the server answers, as a browser does not ask twice for a script that it could not have,
 * and a server that has been replaced has other scripts. That helps once; whatever it does not help is told.
 */
async function goAnew({ cause, location: { publicHref } }: Visit, error: unknown): Promise<never> {
  if (cause === 'preload' || sessionStorage.getItem(place) === publicHref) throw error;
  await answered();
  sessionStorage.setItem(place, publicHref);
  location.assign(publicHref);
  return new Promise(() => undefined);
}
