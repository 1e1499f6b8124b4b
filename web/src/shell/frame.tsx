import { useIsFetching } from '@tanstack/react-query';
import { Outlet, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useEffect, useState } from 'react';
import { Button } from 'react-aria-components';
import { session } from '../connection/client.ts';
import { patiently } from '../connection/lazily.ts';
import { awaySince, busyUntil } from '../connection/reach.ts';
import { dropped } from '../page/address.ts';
import { Remaining } from '../page/time.tsx';
import { usePreferences } from '../preferences/preferences.ts';
import { useStore } from '../store/store.ts';
import { runs } from '../work-items/bulk-runs.ts';
import { m } from './messages.ts';
import { followVisits } from './recent.ts';
import { Rail } from './rail.tsx';
import css from './shell.module.css';
import { TopBar } from './top-bar.tsx';
import { useShortcuts } from './use-shortcuts.ts';

export { loadPreferences as load } from '../preferences/queries.ts';

const fetchPalette = patiently(async () => ({ default: (await import('./palette.tsx')).Palette }));
const fetchSessionDialog = patiently(async () => ({
  default: (await import('../auth/session-dialog.tsx')).SessionDialog,
}));
const fetchTray = patiently(async () => ({ default: (await import('../work-items/tray.tsx')).Tray }));
const Palette = lazy(fetchPalette);
const SessionDialog = lazy(fetchSessionDialog);
const Tray = lazy(fetchTray);
const Shortcuts = lazy(async () => ({ default: (await import('./shortcuts.tsx')).Shortcuts }));
const HiddenPages = lazy(async () => ({ default: (await import('./hidden.tsx')).HiddenPages }));

/** The frame around every page: where to go, and the state of the connection. */
export function Page() {
  const [isFinding, setFinding] = useState(false);
  const find = useCallback(() => setFinding(true), []);
  const now = useStore(session);
  const userId = now.state === 'none' ? undefined : String(now.user.id);
  useEffect(() => (userId === undefined ? undefined : followVisits(userId)), [userId]);
  const hasRuns = useStore(runs).length > 0;
  const [isHelping, setHelping] = useState(false);
  const help = useCallback(() => setHelping(true), []);
  const [isAsking, setAsking] = useState(false);
  useShortcuts(find, help);
  useFetchedAhead();
  const { sideFolded } = usePreferences();
  const isAway = useStore(awaySince) !== undefined;
  return (
    <div className={css.frame} data-folded={sideFolded}>
      <a className={css.skip} href="#page">
        {m.shell.skip}
      </a>
      <Rail onHidden={() => setAsking(true)} />
      <TopBar onFind={find} onHelp={help} />
      <main id="page" className={css.page} tabIndex={-1}>
        <Away />
        <Busy />
        <Dropped />
        <Progress />
        <div className={css.shown} data-old={isAway}>
          <Outlet />
        </div>
      </main>
      <Suspense>
        {isFinding && <Palette onOpenChange={setFinding} onHelp={help} />}
        {isHelping && <Shortcuts onClose={() => setHelping(false)} />}
        {isAsking && <HiddenPages onClose={() => setAsking(false)} />}
        {hasRuns && <Tray />}
        {now.state === 'over' && <SessionDialog />}
      </Suspense>
    </div>
  );
}

/** Fetches the overlays before they are needed, but after the page. */
function useFetchedAhead(): void {
  useEffect(() => {
    const fetched = Promise.all([fetchPalette(), fetchSessionDialog(), fetchTray()]);
    void fetched.catch(() => undefined);
  }, []);
}

/** Told once, when the connection is lost. */
function Away() {
  const since = useStore(awaySince);
  return (
    <div role="status">{since && <p className={css.away}>{m.shell.away(since.toLocaleTimeString())}</p>}</div>
  );
}

/** Told while a call waits that the server has put off. */
function Busy() {
  const until = useStore(busyUntil);
  return (
    <div role="status">
      {until && (
        <p className={css.away}>
          {m.shell.busy} <Remaining until={until.toISOString()} />
        </p>
      )}
    </div>
  );
}

/** Says that a part of the address is invalid, and that the page shows the rest. */
function Dropped() {
  const found = useStore(dropped);
  const path = useRouterState({ select: ({ location }) => location.publicHref.split('?', 1)[0] });
  return (
    <div role="status">
      {found && found.path === path && (
        <p className={css.away}>
          {m.shell.dropped(found.names.join(', '))}{' '}
          <Button className="quiet" onPress={() => dropped.set(undefined)}>
            {m.common.close}
          </Button>
        </p>
      )}
    </div>
  );
}

/** A thin line while data is refreshed; the present data stays. */
function Progress() {
  return <div className={css.progress} data-busy={useIsFetching() > 0} aria-hidden="true" />;
}
