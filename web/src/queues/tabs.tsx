import { Link, useLocation, type LinkProps } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { m } from './messages.ts';
import css from './queues.module.css';

/** The tabs of a queue, each with an address of its own. Add one by a line here, and by a route under the queue's in router.tsx. */
export const tabs = [
  { to: '/queues/$id', label: m.queues.items },
  { to: '/queues/$id/charts', label: m.queues.charts },
  { to: '/queues/$id/why', label: m.queues.why },
  { to: '/queues/$id/level', label: m.queues.level },
  // The actions of users; those of bots and the server on each item are one press away.
  { to: '/queues/$id/activity', label: m.queues.activity, search: { q: 'kind:USER' } },
  { to: '/queues/$id/upload', label: m.queues.upload },
  { to: '/queues/$id/members', label: m.queues.members },
  { to: '/queues/$id/automations', label: m.queues.automations },
  { to: '/queues/$id/settings', label: m.queues.settings },
] as const satisfies readonly {
  to: LinkProps['to'];
  label: string;
  search?: Readonly<Record<string, string>>;
}[];

export function QueueTabs({ id }: { readonly id: string }) {
  const bar = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // On a phone the tab that is open may lie beyond the edge.
  useEffect(() => {
    bar.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [pathname]);
  return (
    <nav ref={bar} className={css.tabs} aria-label={m.queues.tabs}>
      {tabs.map(({ to, label, ...others }) => (
        <Link
          key={to}
          to={to}
          {...others}
          params={{ id }}
          activeOptions={{ exact: true, includeSearch: false }}
          activeProps={{ 'aria-current': 'page' }}
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}
