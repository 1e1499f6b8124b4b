import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { logOut } from '../connection/client.ts';
import { isPaused } from '../live/effects.ts';
import { usePreferences } from '../preferences/preferences.ts';
import { setPreference } from '../preferences/queries.ts';
import { useMay } from '../connection/may.ts';
import { useStore } from '../store/store.ts';
import { theme, themes } from '../theme/theme.ts';
import { m } from './messages.ts';

/** A choice in the palette. */
export interface Choice {
  readonly key: string;
  readonly name: string;
  readonly kind?: ReactNode;
  readonly act: () => void;
}

const densities = ['COMPACT', 'NORMAL', 'TOUCH'] as const;

const looks: readonly Choice[] = [
  ...themes.map((one) => ({
    key: `theme ${one}`,
    name: m.shell.useTheme(m.shell.theme[one]),
    act: () => theme.set(one),
  })),
  ...densities.map((one) => ({
    key: `rows ${one}`,
    name: m.shell.rows[one],
    act: () => choose('density', one),
  })),
];

/** The actions on every page. */
export function useCommands(onHelp: () => void): Choice[] {
  const navigate = useNavigate();
  const { keys = true, sideFolded = false } = usePreferences();
  const isStill = useStore(isPaused);
  const creation = {
    key: 'new queue',
    name: m.shell.newQueue,
    act: () => void navigate({ to: '/queues/new' }),
  };
  return [
    ...(useMay('createQueues') ? [creation] : []),
    { key: 'link', name: m.shell.copyLink, act: () => void navigator.clipboard.writeText(location.href) },
    {
      key: 'live',
      name: isStill ? m.shell.resumeLive : m.shell.pauseLive,
      act: () => isPaused.set(!isPaused.get()),
    },
    { key: 'keys', name: m.shell.shortcuts, act: onHelp },
    { key: 'letters', name: keys ? m.shell.keysOff : m.shell.keysOn, act: () => choose('keys', !keys) },
    {
      key: 'side',
      name: sideFolded ? m.shell.unfold : m.shell.fold,
      act: () => choose('sideFolded', !sideFolded),
    },
    ...looks,
    { key: 'reference', name: m.shell.reference, act: () => location.assign('/docs') },
    { key: 'log out', name: m.common.logOut, act: () => void logOut() },
  ];
}

/** A value that the server refuses stays in this browser. */
function choose(...[name, value]: Parameters<typeof setPreference>): void {
  void setPreference(name, value).catch(() => undefined);
}
