import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  Outlet,
} from '@tanstack/react-router';
import { finishSignOn, session } from './connection/client.ts';
import { lazily } from './connection/lazily.ts';
import { isRunners } from './connection/may.ts';
import { awaySince } from './connection/reach.ts';
import { address } from './page/address.ts';
import { Lost, PageError, Skeleton } from './page/states.tsx';

const root = createRootRoute({ component: Outlet, notFoundComponent: Lost });

const logIn = createRoute({
  getParentRoute: () => root,
  path: '/login',
  // Only paths of the console, so that the log-in leads to no other site.
  validateSearch: address({ next: /^\/console\/(?![/\\])/, tenant: /\S/ }),
  ...lazily(() => import('./auth/login-page.tsx')),
});

/** The page to which a provider sends the browser back. */
const signOn = createRoute({
  getParentRoute: () => root,
  path: '/sign-on',
  loader: ({ location }) => finishSignOn(location.searchStr),
  component: lazyRouteComponent(() => import('./auth/sign-on.tsx'), 'SignedOn'),
  errorComponent: lazyRouteComponent(() => import('./auth/sign-on.tsx'), 'NotSignedOn'),
});

/** Everything but the log-in, where users are sent who are not logged in. */
const frame = createRoute({
  getParentRoute: () => root,
  id: 'frame',
  beforeLoad: ({ location }) => {
    if (session.get().state === 'none')
      redirect({ to: '/login', search: { next: location.publicHref }, throw: true });
  },
  ...lazily(() => import('./shell/frame.tsx')),
});

const overview = createRoute({
  getParentRoute: () => frame,
  path: '/',
  beforeLoad: () => {
    if (isRunners(session.get())) redirect({ to: '/runner', replace: true, throw: true });
  },
  ...lazily(() => import('./overview/page.tsx')),
});

const devices = createRoute({
  getParentRoute: () => frame,
  path: '/devices',
  validateSearch: address({ q: /\S/, pool: /^\d+$/ }),
  ...lazily(() => import('./devices/page.tsx')),
});

const device = createRoute({
  getParentRoute: () => frame,
  path: '/devices/$id',
  ...lazily(() => import('./devices/device-page.tsx')),
});

/** The page on which an account for runners begins, in place of the overview. */
const runner = createRoute({
  getParentRoute: () => frame,
  path: '/runner',
  beforeLoad: () => {
    if (!isRunners(session.get())) redirect({ to: '/', replace: true, throw: true });
  },
  ...lazily(() => import('./devices/runner-page.tsx')),
});

const pools = createRoute({
  getParentRoute: () => frame,
  path: '/pools',
  ...lazily(() => import('./pools/page.tsx')),
});

/** A pool has no page of its own: it is shown among the others. */
const pool = createRoute({
  getParentRoute: () => frame,
  path: '/pools/$id',
  beforeLoad: ({ params: { id } }) =>
    redirect({ to: '/pools', hash: `pool-${id}`, replace: true, throw: true }),
});

const automations = createRoute({
  getParentRoute: () => frame,
  path: '/automations',
  ...lazily(() => import('./automations/page.tsx')),
});

const automation = createRoute({
  getParentRoute: () => frame,
  path: '/automations/$id',
  ...lazily(() => import('./automations/automation-page.tsx')),
});

const queues = createRoute({
  getParentRoute: () => frame,
  path: '/queues',
  validateSearch: address({ q: /\S/, state: /^(active|paused|mine|archived|failures)$/, model: /^\d+$/ }),
  ...lazily(() => import('./queues/page.tsx')),
});

const queue = createRoute({
  getParentRoute: () => frame,
  path: '/queues/$id',
  ...lazily(() => import('./queues/queue-page.tsx')),
});

const queueItems = createRoute({
  getParentRoute: () => queue,
  path: '/',
  validateSearch: address({ q: /\S/, sort: /^-?\w+$/, cols: /^\w+(,\w+)*$/, peek: /^\d+$/, view: /^\d+$/ }),
  ...lazily(() => import('./work-items/list-page.tsx')),
});

const upload = createRoute({
  getParentRoute: () => queue,
  path: '/upload',
  validateSearch: address({ upload: /^\d+$/ }),
  ...lazily(() => import('./intake/page.tsx')),
});

const members = createRoute({
  getParentRoute: () => queue,
  path: '/members',
  ...lazily(() => import('./members/page.tsx')),
});

const queueAutomations = createRoute({
  getParentRoute: () => queue,
  path: '/automations',
  ...lazily(() => import('./automations/queue-page.tsx')),
});

const settings = createRoute({
  getParentRoute: () => queue,
  path: '/settings',
  ...lazily(() => import('./setup/settings.tsx')),
});

const level = createRoute({
  getParentRoute: () => queue,
  path: '/level',
  ...lazily(() => import('./levels/level-page.tsx')),
});

const calendars = createRoute({
  getParentRoute: () => frame,
  path: '/calendars',
  ...lazily(() => import('./levels/calendars-page.tsx')),
});

const newQueue = createRoute({
  getParentRoute: () => frame,
  path: '/queues/new',
  ...lazily(() => import('./setup/new-queue.tsx')),
});

const models = createRoute({
  getParentRoute: () => frame,
  path: '/workitemmodels',
  validateSearch: address({ state: /^archived$/ }),
  ...lazily(() => import('./models/page.tsx')),
});

const model = createRoute({
  getParentRoute: () => frame,
  path: '/workitemmodels/$id',
  ...lazily(() => import('./models/model-page.tsx')),
});

const queueWhy = createRoute({
  getParentRoute: () => queue,
  path: '/why',
  ...lazily(() => import('./queues/why-page.tsx')),
});

const queueCharts = createRoute({
  getParentRoute: () => queue,
  path: '/charts',
  validateSearch: address({ range: /^(1h|24h|7d|30d|12mo)$/ }),
  ...lazily(() => import('./history/page.tsx')),
});

const item = createRoute({
  getParentRoute: () => frame,
  path: '/queues/$id/workitems/$workItemId',
  ...lazily(() => import('./work-items/item-page.tsx')),
});

const activity = createRoute({
  getParentRoute: () => queue,
  path: '/activity',
  validateSearch: address({ q: /\S/ }),
  ...lazily(() => import('./events/activity-page.tsx')),
});

const events = createRoute({
  getParentRoute: () => frame,
  path: '/events',
  validateSearch: address({ q: /\S/, event: /^\d{1,20}-[1-9]\d{0,18}$/ }),
  ...lazily(() => import('./events/page.tsx')),
});

const repair = createRoute({
  getParentRoute: () => frame,
  path: '/repair',
  validateSearch: address({ kind: /^[A-Z_]+$/, signature: /\S/, queue: /^\d+$/ }),
  ...lazily(() => import('./repair/page.tsx')),
});

const doubts = createRoute({
  getParentRoute: () => frame,
  path: '/repair/doubts',
  validateSearch: address({ queue: /^\d{1,19}$/ }),
  ...lazily(() => import('./repair/doubts-page.tsx')),
});

const users = createRoute({
  getParentRoute: () => frame,
  path: '/users',
  validateSearch: address({ q: /\S/ }),
  ...lazily(() => import('./people/users-page.tsx')),
});

const user = createRoute({
  getParentRoute: () => frame,
  path: '/users/$id',
  ...lazily(() => import('./people/user-page.tsx')),
});

const roles = createRoute({
  getParentRoute: () => frame,
  path: '/roles',
  ...lazily(() => import('./people/roles-page.tsx')),
});

const role = createRoute({
  getParentRoute: () => frame,
  path: '/roles/$id',
  ...lazily(() => import('./people/role-page.tsx')),
});

const apiKeys = createRoute({
  getParentRoute: () => frame,
  path: '/apikeys',
  ...lazily(() => import('./people/keys-page.tsx')),
});

const tenants = createRoute({
  getParentRoute: () => frame,
  path: '/tenants',
  ...lazily(() => import('./people/tenants-page.tsx')),
});

const audit = createRoute({
  getParentRoute: () => frame,
  path: '/audit',
  ...lazily(() => import('./audit/page.tsx')),
});

const ownSettings = createRoute({
  getParentRoute: () => frame,
  path: '/settings',
  ...lazily(() => import('./settings/page.tsx')),
});

/** Any other address: the frame stays around the page, to go on from. */
const lost = createRoute({ getParentRoute: () => frame, path: '$', component: Lost });

/** Values stay texts: a filter that looks like a number or a word of JSON is still a filter. */
function readSearch(search: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(search));
}

function writeSearch(search: Record<string, unknown>): string {
  const given = Object.entries(search).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  // Readable characters of an address stay readable.
  return text && `?${text.replaceAll('%3A', ':').replaceAll('%2C', ',')}`;
}

export const router = createRouter({
  routeTree: root.addChildren([
    logIn,
    signOn,
    // Add a page by a route as those above, and by a line in shell/pages.ts to have it at the side.
    frame.addChildren([
      overview,
      queues,
      queue.addChildren([
        queueItems,
        queueCharts,
        queueWhy,
        level,
        activity,
        upload,
        members,
        queueAutomations,
        settings,
      ]),
      item,
      newQueue,
      models,
      model,
      repair,
      doubts,
      devices,
      device,
      runner,
      pools,
      pool,
      automations,
      automation,
      users,
      user,
      roles,
      role,
      apiKeys,
      tenants,
      events,
      calendars,
      audit,
      ownSettings,
      lost,
    ]),
  ]),
  basepath: '/console',
  parseSearch: readSearch,
  stringifySearch: writeSearch,
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 0,
  defaultErrorComponent: PageError,
  defaultPendingComponent: Skeleton,
  defaultPendingMs: 150,
  // Once it is there, a page does not wait for its outline to have been looked at.
  defaultPendingMinMs: 0,
  scrollRestoration: false,
});

// Pages that could not be read while the server was away are read once it is back.
awaySince.subscribe(() => {
  if (awaySince.get() === undefined) void router.invalidate();
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
