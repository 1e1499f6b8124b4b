import type { LinkProps } from '@tanstack/react-router';
import {
  Bot,
  Boxes,
  Building2,
  CalendarClock,
  Gauge,
  History,
  KeyRound,
  Layers,
  Server,
  Settings,
  Shapes,
  Stamp,
  Users,
  UserRoundCheck,
  Workflow,
  Wrench,
  type LucideIcon,
} from 'lucide-react';
import { m } from './messages.ts';

/** A page to be found at the side, in the palette, and by `g` with its key. */
export interface Place {
  readonly path: LinkProps['to'];
  readonly label: string;
  readonly icon: LucideIcon;
  /** Pressed after `g`. */
  readonly key: string;
  /** Any of these is enough; left out where every user may look. */
  readonly permissions?: readonly string[];
  /** Folded away at the side, as seldom needed. */
  readonly isFolded?: boolean;
  /** In the menu of the user instead of at the side. */
  readonly isOwn?: boolean;
}

/**
 * The pages, in their order at the side. Add one by a line here, and by a route with `lazily` in router.tsx; its script, texts and styles
 * are then loaded on the first visit.
 */
const places: readonly Place[] = [
  { path: '/', label: m.shell.overview, icon: Gauge, key: 'o' },
  { path: '/queues', label: m.shell.queues, icon: Layers, key: 'q', permissions: ['useQueues'] },
  { path: '/repair', label: m.shell.repair, icon: Wrench, key: 'r', permissions: ['useQueues'] },
  { path: '/devices', label: m.shell.devices, icon: Server, key: 'd', permissions: ['useQueues'] },
  { path: '/pools', label: m.shell.pools, icon: Boxes, key: 'p', permissions: ['useQueues'] },
  { path: '/automations', label: m.shell.automations, icon: Workflow, key: 'a', permissions: ['useQueues'] },
  { path: '/events', label: m.shell.events, icon: History, key: 'e', permissions: ['useQueues'] },
  { path: '/calendars', label: m.shell.calendars, icon: CalendarClock, key: 'c', permissions: ['useQueues'] },
  { path: '/workitemmodels', label: m.shell.models, icon: Shapes, key: 'm', permissions: ['useQueues'] },
  { path: '/users', label: m.shell.users, icon: Users, key: 'u', permissions: ['viewUsers'], isFolded: true },
  {
    path: '/roles',
    label: m.shell.roles,
    icon: UserRoundCheck,
    key: 'l',
    permissions: ['viewUsers'],
    isFolded: true,
  },
  {
    path: '/apikeys',
    label: m.shell.keysOfPrograms,
    icon: KeyRound,
    key: 'k',
    permissions: ['generateApiKey'],
    isFolded: true,
  },
  {
    path: '/tenants',
    label: m.shell.tenants,
    icon: Building2,
    key: 't',
    permissions: ['manageInstallation'],
    isFolded: true,
  },
  {
    path: '/audit',
    label: m.shell.audit,
    icon: Stamp,
    key: 'v',
    permissions: ['viewEvents'],
    isFolded: true,
  },
  { path: '/settings', label: m.shell.settings, icon: Settings, key: 's', isOwn: true },
];

/** The page on which accounts for runners begin. */
const startOfRunners: Place = { path: '/runner', label: m.shell.runner, icon: Bot, key: 'o' };

/** The pages of use to somebody with these permissions. */
export function placesFor(granted: readonly string[]): readonly Place[] {
  return places.filter((place) => isOfUse(place, granted));
}

/** The same for an account for runners, which has a page of its own in place of the overview. */
export function placesForRunners(granted: readonly string[]): readonly Place[] {
  return placesFor(granted).map((place) => (place.path === '/' ? startOfRunners : place));
}

/** Those that are not: each needs a permission that is not among these. */
export function placesBeyond(granted: readonly string[]): readonly Place[] {
  return places.filter((place) => !isOfUse(place, granted));
}

function isOfUse({ permissions }: Place, granted: readonly string[]): boolean {
  return !permissions || permissions.some((name) => granted.includes(name));
}
