import { ApiError, type Call } from '@millrace/api';
import { call, session } from '../connection/client.ts';
import { timeZone } from '../store/preferences.ts';
import { theme } from '../theme/theme.ts';
import { preferences, type Preferences } from './preferences.ts';

let readFor: string | undefined;

let sent: Promise<unknown> = Promise.resolve();

/** Reads what the user has chosen, on whatever browser, once in a session. A page shows without it where the server does not say. */
export async function loadPreferences(): Promise<void> {
  const now = session.get();
  const userId = now.state === 'none' ? undefined : String(now.user.id);
  if (userId === undefined || userId === readFor) return;
  try {
    preferences.set(await call('getPreferences', {}));
    readFor = userId;
  } catch (error) {
    if (!(error instanceof ApiError)) return;
    // Whoever has used this browser before has chosen for themselves.
    preferences.set({});
  }
}

/** Changes one of them, here at once and then at the server; undefined takes it away. @throws what the server refuses */
export async function setPreference<Name extends keyof Preferences>(
  name: Name,
  value: Preferences[Name] | undefined,
): Promise<void> {
  const { [name]: _, ...others } = preferences.get();
  preferences.set(value === undefined ? others : { ...others, [name]: value });
  await send({ [name]: value ?? null });
}

/** Changes the columns of one list; undefined has it show the usual ones. */
export async function setColumns(list: string, columns: readonly string[] | undefined): Promise<void> {
  const { [list]: _, ...others } = preferences.get().columns ?? {};
  const all = columns === undefined ? others : { ...others, [list]: [...columns] };
  preferences.set({ ...preferences.get(), columns: all });
  await send({ columns: { [list]: columns ? [...columns] : null } });
}

/** One change after the other: the server would keep an earlier choice that it got to later. */
function send(body: Call<'updatePreferences'>['body']): Promise<unknown> {
  sent = sent.catch(() => undefined).then(() => call('updatePreferences', { body }));
  return sent;
}

const names = { system: 'SYSTEM', light: 'LIGHT', dark: 'DARK' } as const;
const themes = { SYSTEM: 'system', LIGHT: 'light', DARK: 'dark' } as const;

/**
 * Has what was chosen show: the theme and the time zone, which pages have from stores of this browser, and how high rows are. What is chosen
 * in those stores goes to the server.
 */
export function showPreferences(): void {
  const show = () => {
    const { theme: look, timeZone: zone, density = 'NORMAL', keys } = preferences.get();
    if (look) theme.set(themes[look]);
    if (zone) timeZone.set(zone);
    document.documentElement.dataset['density'] = density.toLowerCase();
    document.documentElement.dataset['letterKeys'] = keys === false ? 'off' : 'on';
  };
  show();
  preferences.subscribe(show);
  theme.subscribe(() => keep('theme', names[theme.get()]));
  timeZone.subscribe(() => keep('timeZone', timeZone.get() || undefined));
}

function keep<Name extends 'theme' | 'timeZone'>(name: Name, value: Preferences[Name] | undefined): void {
  if (session.get().state === 'none' || preferences.get()[name] === value) return;
  // What the server does not take stays in this browser.
  void setPreference(name, value).catch(() => undefined);
}
