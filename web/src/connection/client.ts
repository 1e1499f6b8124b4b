import {
  ApiError,
  ConnectionError,
  createClient,
  type Call,
  type CallOptions,
  type OperationId,
  type Output,
  type Schemas,
} from '@millrace/api';
import { createStore } from '../store/store.ts';
import { awaySince, noteAnswer, noteSilence } from './reach.ts';
import {
  forgetSession,
  hasCookie,
  keepSecret,
  keepToken,
  keepWayOut,
  keptToken,
  noteCookie,
  takeSecret,
  takeWayOut,
} from './token.ts';

export type User = Schemas['SessionUser'];

/** The session of this tab. `over`: it has ended, and pending work waits until the user has logged in again. */
export type Session =
  | { readonly state: 'none' }
  | { readonly state: 'open'; readonly user: User }
  | { readonly state: 'over'; readonly user: User };

export const session = createStore<Session>({ state: 'none' });

let token = keptToken();

const client = createClient({
  url: location.origin,
  token,
  onToken: (given) => {
    token = given;
    keepToken(given);
  },
});

/** The token of the session, for scripts that call the server themselves; waits until there is a valid one. */
export async function tokenNow(signal: AbortSignal): Promise<string> {
  await call('getMe', {}, { signal });
  return token ?? '';
}

/** The tenant of the session, as its token names it. */
export function tenantNow(): string | undefined {
  const [, claims = ''] = token?.split('.') ?? [];
  const json = claims.replaceAll('-', '+').replaceAll('_', '/');
  const { tenantUuid } = JSON.parse(atob(json) || '{}') as { readonly tenantUuid?: string };
  return tenantUuid;
}

/** Restores the session that this browser has kept, if any. */
export async function resumeSession(): Promise<void> {
  try {
    const user = keptToken() === undefined ? await exchanged() : await client.getMe();
    // A temporary password is good for nothing until another is chosen at the log-in.
    if (user && !user.mustChangePassword) session.set({ state: 'open', user });
  } catch (error) {
    if (!isSessionOver(error) && !isTemporary(error)) throw error;
    forgetSession();
  }
}

async function exchanged(): Promise<User | undefined> {
  return hasCookie() ? (await client.exchangeSession({ body: {} })).user : undefined;
}

/** A log-in begun with a temporary password; it goes on once another is chosen. */
let begun: Schemas['Session'] | undefined;

/** Logs in. @returns whether the password is temporary: then another has to be chosen first */
export async function logIn(username: string, password: string): Promise<boolean> {
  const given = await client.logIn({ body: { username, password } });
  if (given.user.mustChangePassword) {
    begun = given;
    // A reload asks for the password anew: the token is good for no page yet.
    forgetSession();
    return true;
  }
  begun = undefined;
  await keep(given);
  return false;
}

/** Replaces the current password; a log-in begun with a temporary one goes on. */
export async function choosePassword(password: string, newPassword: string): Promise<void> {
  const body = { password, newPassword };
  if (!begun) {
    await call('changePassword', { body });
    return;
  }
  await client.changePassword({ body });
  const { user, ...rest } = begun;
  begun = undefined;
  await keep({ ...rest, user: { ...user, mustChangePassword: false } });
}

async function keep({ token: given, user, logOutUrl }: Schemas['Session']): Promise<void> {
  keepToken(given, user.username);
  keepWayOut(logOutUrl);
  // Over plain http from another machine the server refuses a cookie: then each tab keeps its own token.
  await client.openSession({ body: {} }).then(noteCookie, () => undefined);
  session.set({ state: 'open', user });
}

/** Leaves for a provider, which sends the browser back to the page that finishes the sign-on; from there it goes on to `next`. */
export async function beginSignOn(provider: string, next: string): Promise<void> {
  const { url, secret } = await client.beginSignOn({ body: { provider, next } });
  keepSecret(secret);
  location.assign(url);
}

/** Finishes a sign-on that this tab has begun. @returns the page to go on to */
export async function finishSignOn(search: string): Promise<string> {
  const { state = '', code, iss, error } = Object.fromEntries(new URLSearchParams(search));
  const given = Object.entries({ code, iss, error }).filter(([, value]) => value !== undefined);
  const body = { secret: takeSecret(), state, ...Object.fromEntries(given) };
  const opened = await client.finishSignOn({ body });
  await keep(opened);
  return opened.next ?? import.meta.env.BASE_URL;
}

// A log-out in one tab logs out all tabs of the user.
const tabs = new BroadcastChannel('millrace.session');
tabs.addEventListener('message', ({ data }: MessageEvent<string>) => {
  const now = session.get();
  if (now.state !== 'none' && String(now.user.id) === data) leave();
});

export async function logOut(): Promise<void> {
  const now = session.get();
  // This browser forgets the session, whatever the server answers.
  await (hasCookie() ? client.closeSession() : client.logOut()).catch(() => undefined);
  if (now.state !== 'none') tabs.postMessage(String(now.user.id));
  leave();
}

function leave(): void {
  forgetSession();
  location.assign(takeWayOut() ?? `${import.meta.env.BASE_URL}login`);
}

/**
 * Calls an operation. When the session is over, it waits until the user has logged in again, and then goes on, so that nothing typed or
 * confirmed is lost.
 */
export async function call<O extends OperationId>(
  operationId: O,
  input: Call<O>,
  options: CallOptions = {},
): Promise<Output<O>> {
  for (;;) {
    if (begun) await loggedInAgain(options.signal);
    try {
      const answer = await client.call(operationId, input as never, options);
      noteAnswer();
      return answer as Output<O>;
    } catch (error) {
      if (error instanceof ConnectionError) noteSilence(isReady);
      if (!isSessionOver(error)) throw error;
      if ((await exchanged().catch(() => undefined)) === undefined) await loggedInAgain(options.signal);
    }
  }
}

async function isReady(): Promise<void> {
  await client.getReadiness();
}

/** Waits until the server answers; until then the server counts as away. */
export async function answered(): Promise<void> {
  await isReady().then(noteAnswer, () => {
    noteSilence(isReady);
    return new Promise<void>((resolve) => {
      const unsubscribe = awaySince.subscribe(() => {
        unsubscribe();
        resolve();
      });
    });
  });
}

function isSessionOver(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

function isTemporary(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'PASSWORD_CHANGE_REQUIRED';
}

function loggedInAgain(signal?: AbortSignal): Promise<void> {
  const now = session.get();
  if (now.state === 'open') session.set({ state: 'over', user: now.user });
  return new Promise((resolve, reject) => {
    const unsubscribe = session.subscribe(() => {
      if (session.get().state !== 'open') return;
      unsubscribe();
      resolve();
    });
    signal?.addEventListener('abort', () => {
      unsubscribe();
      reject(signal.reason as Error);
    });
  });
}
