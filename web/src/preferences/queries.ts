import { ApiError, type Call } from '@millrace/api';
import { call, session } from '../connection/client.ts';
import { timeZone } from '../store/preferences.ts';
import { theme } from '../theme/theme.ts';
import { preferences, type Preferences } from './preferences.ts';

let readFor: string | undefined;

let sent: Promise<unknown> = Promise.resolve();

/** Reads the user's choices, which hold in any browser, once in a session. A page shows without them where the server does not answer. */
export async function loadPreferences(): Promise<void> {
  const now = session.get();
  const userId = now.state === 'none' ? undefined : String(now.user.id);
  if (userId === undefined || userId === readFor) return;
  try {
    preferences.set(await call('getPreferences', {}));
    readFor = userId;
  } catch (error) {
    if (!(error instanceof ApiError)) return;
    // The choices kept here may be those of another user of this browser.
    preferences.set({});
  }
}

/** Changes one preference, here at once and then at the server; undefined removes it. @throws the server's refusal */
export async function setPreference<Name extends keyof Preferences>(
  name: Name,
  value: Preferences[Name] | undefined,
): Promise<void> {
  const { [name]: _, ...others } = preferences.get();
  preferences.set(value === undefined ? others : { ...others, [name]: value });
  await send({ [name]: value ?? null });
}

/** Changes the columns of one list; undefined restores the usual ones. */
export async function setColumns(list: string, columns: readonly string[] | undefined): Promise<void> {
  const { [list]: _, ...others } = preferences.get().columns ?? {};
  const all = columns === undefined ? others : { ...others, [list]: [...columns] };
  preferences.set({ ...preferences.get(), columns: all });
  await send({ columns: { [list]: columns ? [...columns] : null } });
}

/** One call after the other: out of order, the server would keep an earlier choice. */
function send(body: Call<'updatePreferences'>['body']): Promise<unknown> {
  sent = sent.catch(() => undefined).then(() => call('updatePreferences', { body }));
  return sent;
}

const names = { system: 'SYSTEM', light: 'LIGHT', dark: 'DARK' } as const;
const themes = { SYSTEM: 'system', LIGHT: 'light', DARK: 'dark' } as const;

/**
 * Applies the preferences: theme and time zone, which pages have from stores of this browser, row height, and letter keys. Choices in those
 * stores go to the server.
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
  // A value that the server refuses stays in this browser.
  void setPreference(name, value).catch(() => undefined);
}
