/**
 * The session that this browser keeps. Where the server allows it, that is a cookie that no script can read and that is good only for
 * tokens, and the token is in memory only; otherwise the token is in the session storage of the tab, which the API reference reads too.
 */
const tokenPlace = 'millrace-token';
const cookiePlace = 'millrace.session';
const secretPlace = 'millrace.sign-on';
const wayOutPlace = 'millrace.log-out';

export function keptToken(): string | undefined {
  return sessionStorage.getItem(tokenPlace) ?? undefined;
}

export function keepToken(token: string, username?: string): void {
  if (hasCookie()) return;
  sessionStorage.setItem(tokenPlace, token);
  // The API reference shows whose token it is.
  if (username !== undefined) sessionStorage.setItem(`${tokenPlace}-of`, username);
}

/** Whether the browser has been given a cookie; no script can see the cookie itself. */
export function hasCookie(): boolean {
  return localStorage.getItem(cookiePlace) !== null;
}

/** From now on the session is kept by the cookie. */
export function noteCookie(): void {
  localStorage.setItem(cookiePlace, 'kept');
  forgetToken();
}

export function forgetSession(): void {
  localStorage.removeItem(cookiePlace);
  forgetToken();
}

function forgetToken(): void {
  sessionStorage.removeItem(tokenPlace);
  sessionStorage.removeItem(`${tokenPlace}-of`);
}

/** Keeps in this tab the proof that it began a sign-on. */
export function keepSecret(secret: string): void {
  sessionStorage.setItem(secretPlace, secret);
}

/** The proof, which is good once; where this tab began no sign-on, a text that proves nothing, so that the server says so. */
export function takeSecret(): string {
  const secret = sessionStorage.getItem(secretPlace) ?? '-'.repeat(43);
  sessionStorage.removeItem(secretPlace);
  return secret;
}

/** The page for the browser after the log-out, to log out at the provider as well. */
export function keepWayOut(url: string | undefined): void {
  if (url === undefined) localStorage.removeItem(wayOutPlace);
  else localStorage.setItem(wayOutPlace, url);
}

export function takeWayOut(): string | undefined {
  const url = localStorage.getItem(wayOutPlace) ?? undefined;
  keepWayOut(undefined);
  return url;
}
